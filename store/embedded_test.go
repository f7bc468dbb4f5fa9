package store

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/embedded"
	"github.com/hookgate/hookgate/store/journal"
)

// account is a data set with something of everything, and what is known of it.
type account struct {
	live, revoked, rotated, fresh            credential.Credential
	liveToken, revokedToken, old, freshToken string
}

func openAccount(t *testing.T, s *Store) account {
	t.Helper()
	var a account
	a.live, a.liveToken = mint(t, s, webhookSpec())
	a.revoked, a.revokedToken = mint(t, s, callbackSpec())
	revoke(t, s, a.revoked)
	a.rotated, a.old = mint(t, s, callbackSpec())
	a.fresh, a.freshToken = rotate(t, s, a.rotated)
	return a
}

// check looks at a Store opened later on the same data set.
func (a account) check(t *testing.T, s *Store) {
	t.Helper()
	wantStanding(t, s, a.liveToken, keyring.Live)
	wantStanding(t, s, a.freshToken, keyring.Live)
	for _, token := range []string{a.revokedToken, a.old} {
		if standing(s, token) == keyring.Live {
			t.Error("a token that was revoked works again")
		}
	}
	if got := get(t, s, a.live); got.RevokedAt != (time.Time{}) || got.CreatedAt != a.live.CreatedAt {
		t.Errorf("the live credential: %+v, was %+v", got, a.live)
	}
	if got := get(t, s, a.revoked); got.RevokedAt.IsZero() {
		t.Error("the revoked credential has no revokedAt")
	}
	if got := get(t, s, a.rotated); got.RevokedAt != a.fresh.RotatedAt || got.SupersededBy != a.fresh.ID {
		t.Errorf("the rotated credential: %+v", got)
	}
	if all := list(t, s, tenant, credential.KindCallback); len(all) != 3 || all[0].ID != a.fresh.ID {
		t.Errorf("listed: %+v", all)
	}
}

func TestEmbeddedReopens(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "by", "us")
	s := open(t, Config{EmbeddedDir: dir})
	a := openAccount(t, s)
	used := markUsed(s, a.live, time.Now())
	destruct(t, s)
	for range 2 { // also a replay of what a replay has left
		s = open(t, Config{EmbeddedDir: dir})
		a.check(t, s)
		wantUsed(t, s, a.live, used)
		destruct(t, s)
	}
	s = open(t, Config{EmbeddedDir: dir})
	c, token := mint(t, s, callbackSpec())
	wantStanding(t, s, token, keyring.Live)
	revoke(t, s, c)
}

// A process that is killed leaves exactly what has been written by then, so a copy
// of the directory taken while it runs is what its successor would find.
func TestEmbeddedSurvivesBeingKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, Config{EmbeddedDir: dir})
	a := openAccount(t, s)
	successor := open(t, Config{EmbeddedDir: copyDirectory(t, dir)})
	a.check(t, successor)

	// The same at the worst moment, in the middle of the next write.
	mint(t, s, callbackSpec())
	torn := copyDirectory(t, dir)
	if err := os.Truncate(filepath.Join(torn, "journal"), journalSize(t, dir)-1); err != nil {
		t.Fatal(err)
	}
	a.check(t, open(t, Config{EmbeddedDir: torn}))
}

func copyDirectory(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func journalSize(t *testing.T, dir string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestEmbeddedRefusesToStart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(t *testing.T, dir string)
		want    error
	}{
		"in use": {func(t *testing.T, dir string) { open(t, Config{EmbeddedDir: dir}) }, embedded.ErrLocked},
		"damaged in the middle": {func(t *testing.T, dir string) {
			s := open(t, Config{EmbeddedDir: dir})
			mint(t, s, callbackSpec())
			damageAt := journalSize(t, dir) - 10
			mint(t, s, callbackSpec())
			destruct(t, s)
			data, err := os.ReadFile(filepath.Join(dir, "journal"))
			if err != nil {
				t.Fatal(err)
			}
			data[damageAt] ^= 1
			os.WriteFile(filepath.Join(dir, "journal"), data, 0o600)
		}, journal.ErrJournalCorrupt},
		"not a journal": {func(t *testing.T, dir string) {
			os.WriteFile(filepath.Join(dir, "journal"), []byte("hello"), 0o600)
		}, journal.ErrJournalMagic},
		"script missing": {func(t *testing.T, dir string) {
			j, err := journal.Open(filepath.Join(dir, "journal"), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			if err := j.Append([]string{"EVALSHA", strings.Repeat("0", 40), "0"}); err != nil {
				t.Fatal(err)
			}
		}, nil},
		"not a directory": {func(t *testing.T, dir string) {
			os.Remove(dir)
			os.WriteFile(dir, nil, 0o600)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			test.prepare(t, dir)
			err := newStore(t, Config{EmbeddedDir: dir}).Start(Tuning{})
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("Start: %v, want %v", err, test.want)
			}
		})
	}
}

func TestEmbeddedLockIsReleased(t *testing.T) {
	dir := t.TempDir()
	first := open(t, Config{EmbeddedDir: dir})
	second := newStore(t, Config{EmbeddedDir: dir})
	if err := second.Start(Tuning{}); !errors.Is(err, embedded.ErrLocked) {
		t.Fatalf("Start of a second one: %v", err)
	}
	destruct(t, first)
	if err := second.Start(Tuning{}); err != nil {
		t.Fatalf("Start after the first has ended: %v", err)
	}
}

func TestEmbeddedFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := open(t, Config{EmbeddedDir: dir})
	openAccount(t, s)
	if err := s.embedded().Rewrite(); err != nil {
		t.Fatal(err)
	}
	want := map[string]os.FileMode{"": os.ModeDir | 0o700, "journal": 0o600, "lock": 0o600, "reserve": 0o600}
	for name, mode := range want {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode() != mode {
			t.Errorf("%q: %v, %v", name, info.Mode(), err)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != len(want)-1 {
		t.Errorf("left behind: %v", files)
	}
}

func (s *Store) embedded() *embedded.DataSet { return s.opened.Load().scripts.(*embedded.DataSet) }

func TestCompactionKeepsTheState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, Config{EmbeddedDir: dir})
	e := s.embedded()
	a := openAccount(t, s)
	e.Compact = 0 // the next change compacts
	size := journalSize(t, dir)
	c, token := mint(t, s, callbackSpec())
	if journalSize(t, dir) >= size {
		t.Errorf("the journal has %d bytes, had %d", journalSize(t, dir), size)
	}
	before := contents(t, e)
	successor := open(t, Config{EmbeddedDir: copyDirectory(t, dir)})
	wantContents(t, successor.embedded(), before)
	wantStanding(t, successor, token, keyring.Live)
	// And both go on, with scripts that the compacted journal does not hold.
	for _, s := range []*Store{s, successor} {
		revoke(t, s, c)
		wantStanding(t, s, token, keyring.Revoked)
	}
	destruct(t, s)
	s = open(t, Config{EmbeddedDir: dir})
	if all := list(t, s, tenant, credential.KindCallback); len(all) != 4 || all[0].RevokedAt.IsZero() {
		t.Errorf("after compaction and reopening: %+v", all)
	}
	wantStanding(t, s, a.freshToken, keyring.Live)
}

func TestFailedCompactionLosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, Config{EmbeddedDir: dir})
	e := s.embedded()
	a := openAccount(t, s)
	journal := filepath.Join(dir, "journal")
	if err := errors.Join(os.Rename(journal, journal+".real"), os.Symlink("journal.real", journal)); err != nil { // which is not replaced
		t.Fatal(err)
	}
	e.Compact = 0
	_, token := mint(t, s, webhookSpec())
	mint(t, s, webhookSpec())
	successor := open(t, Config{EmbeddedDir: copyDirectory(t, dir)})
	a.check(t, successor)
	wantStanding(t, successor, token, keyring.Live)
}

func TestReplayIsDeterministic(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, Config{EmbeddedDir: dir})
	a := openAccount(t, s)
	s.MarkUsed(a.live.ID, time.Now().Add(time.Hour)) // clamped to the time of the flush
	s.flushNow(t)
	s.Rotate(t.Context(), ref(a.revoked), Rotation{}) // refused
	live := contents(t, s.embedded())
	wantContents(t, open(t, Config{EmbeddedDir: copyDirectory(t, dir)}).embedded(), live)
}

// contents returns every key with its sorted content; the ids of ledger entries
// depend on when they are replayed, so they are left out.
func contents(t *testing.T, e *embedded.DataSet) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	err := e.Dump(func(command []string) error {
		kind, key, content := command[0], command[1], command[2:]
		switch kind {
		case "XADD":
			all[key] = append(all[key], content[1:]...)
		default:
			for pair := range slices.Chunk(content, 2) {
				all[key] = append(all[key], strings.Join(pair, " "))
			}
			slices.Sort(all[key])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func wantContents(t *testing.T, e *embedded.DataSet, want map[string][]string) {
	t.Helper()
	got := contents(t, e)
	if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
		t.Errorf("other keys: %v", slices.Sorted(maps.Keys(got)))
	}
	for key := range want {
		if !slices.Equal(got[key], want[key]) {
			t.Errorf("%s: got %q, want %q", key, got[key], want[key])
		}
	}
}

func TestUnwritableJournalAcknowledgesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, Config{EmbeddedDir: dir})
	a := openAccount(t, s)
	before := contents(t, s.embedded())
	s.embedded().Journal.File.Close()
	if _, token, err := s.Mint(t.Context(), callbackSpec()); !errors.Is(err, ErrUnavailable) || token != "" {
		t.Errorf("Mint: token %t, %v", token != "", err)
	}
	if _, _, err := s.Rotate(t.Context(), ref(a.live), Rotation{}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Rotate: %v", err)
	}
	if err := s.Revoke(t.Context(), ref(a.live)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Revoke: %v", err)
	}
	wantContents(t, s.embedded(), before)
	a.check(t, s)
	a.check(t, open(t, Config{EmbeddedDir: copyDirectory(t, dir)}))
}

// TestEmbeddedReopensWithEverything: sets, streams and hashes are what they were,
// also the ids in streams, by which the audit log is trimmed.
func TestEmbeddedReopensWithEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, Config{EmbeddedDir: dir})
	old, oldToken := mint(t, s, callbackSpec())
	rotateWith(t, s, old, Rotation{Grace: time.Hour})
	api, _, err := s.Mint(repeated(t, "key", "a"), apiSpec("billing", "one"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ReplaceSecret(t.Context(), ref(api), secretHash("two")); err != nil {
		t.Fatal(err)
	}
	gone, _ := importOf(t, s, callbackSpec(), foreignToken)
	revoke(t, s, gone)
	if err := s.NoteRefusal(WithOrigin(t.Context(), Origin{Actor: "eve"}), tenant, "x"); err != nil {
		t.Fatal(err)
	}
	log, page := auditLog(t, s, AuditQuery{}), mustPage(t, s)
	check := func(t *testing.T, s *Store) {
		t.Helper()
		for i, e := range auditLog(t, s, AuditQuery{}) {
			// The id is made a moment after the time that the script got.
			if apart := streamMillis(t, e.ID) - streamMillis(t, log[i].ID); apart > 0 || apart < -10_000 {
				t.Errorf("entry %d moved by %d ms", i, apart)
			}
			e.ID = log[i].ID
			if e != log[i] {
				t.Errorf("entry %+v, was %+v", e, log[i])
			}
		}
		if got := mustPage(t, s); fmt.Sprint(got) != fmt.Sprint(page) {
			t.Errorf("credentials %+v\nwere %+v", got, page)
		}
		if !accepted(s, oldToken) {
			t.Error("the grace is gone")
		}
		wantAPI(t, s, "billing", "two", keyring.Live)
		if apiStanding(s, "billing", "one") == keyring.Live {
			t.Error("a replaced secret works again")
		}
		_, _, err := s.Mint(repeated(t, "key", "a"), apiSpec("billing", "three"))
		wantReplay(t, err, api.ID)
		if _, _, err := s.Mint(t.Context(), apiSpec("billing", "three")); err != ErrClientIDTaken {
			t.Errorf("the client id: %v", err)
		}
		if _, _, err := s.Import(t.Context(), callbackSpec(), Foreign{Digest: credential.DigestToken(foreignToken)}); err != ErrDigestTaken {
			t.Errorf("the revoked digest: %v", err)
		}
		if err := s.ReplaceSecret(t.Context(), ref(api), secretHash("one")); !errors.Is(err, credential.ErrInvalid) {
			t.Errorf("the replaced secret: %v", err)
		}
	}
	destruct(t, s)
	for range 2 {
		s = open(t, Config{EmbeddedDir: dir})
		check(t, s)
		destruct(t, s)
	}
	s = open(t, Config{EmbeddedDir: dir})
	if err := s.opened.Load().scripts.(*embedded.DataSet).Persist(); err != nil { // as compaction does
		t.Fatal(err)
	}
	destruct(t, s)
	check(t, open(t, Config{EmbeddedDir: dir}))
}

func mustPage(t testing.TB, s *Store) []credential.Credential {
	t.Helper()
	page, _, err := s.Page(t.Context(), tenant, Query{})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func streamMillis(t testing.TB, id string) int64 {
	t.Helper()
	at, ok := streamTime(id)
	if !ok {
		t.Fatalf("%q is no id of a stream", id)
	}
	return at.UnixMilli()
}
