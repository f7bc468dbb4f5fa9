package store

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
)

// auditLog returns the tenant's audit log, oldest first.
func auditLog(t testing.TB, s *Store, q AuditQuery) []AuditEntry {
	t.Helper()
	var all []AuditEntry
	for {
		page, next, err := s.Audit(t.Context(), tenant, q)
		if err != nil {
			t.Fatalf("Audit: %v", err)
		}
		if all = append(all, page...); next == "" {
			slices.Reverse(all)
			return all
		}
		q.Cursor = next
	}
}

func TestEveryChangeIsAudited(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		ctx := WithOrigin(t.Context(), Origin{Actor: "alice", Address: netip.MustParseAddr("192.0.2.7"), RequestID: "r-1", Reason: "because"})
		var want []string
		note := func(action string, c credential.Credential, detail string, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", action, err)
			}
			want = append(want, fmt.Sprint(action, " ", c.ID, " ", c.Kind, " ", c.Label, " alice 192.0.2.7 because r-1 ", detail))
		}
		c, _, err := s.Mint(ctx, callbackSpec())
		note(ActionMint, c, "", err)
		_, _, err = s.Import(ctx, webhookSpec(), Foreign{Digest: credential.DigestToken(foreignToken)})
		note(ActionImport, credential.Credential{}, "created 1, exists 2, refused 3", cmp.Or(err, s.NoteImport(ctx, tenant, ImportCounts{1, 2, 3})))
		label := "x"
		c, err = s.Update(ctx, ref(c), Patch{Label: &label})
		note(ActionUpdate, c, "", err)
		second, _, err := s.Rotate(ctx, ref(c), Rotation{Grace: time.Hour})
		note(ActionRotate, c, second.ID.String(), err)
		third, _, err := s.Rotate(ctx, ref(second), Rotation{Grace: time.Hour, Force: true})
		note(ActionRotate, second, third.ID.String(), err)
		_, err = s.Finish(ctx, ref(third))
		note(ActionFinish, second, "", err)
		api, _, err := s.Mint(ctx, apiSpec("billing", "one"))
		note(ActionMint, api, "", err)
		note(ActionRotate, api, "", s.ReplaceSecret(ctx, ref(api), secretHash("two")))
		note(ActionRevoke, third, "", s.Revoke(ctx, ref(third)))

		// Nothing changes here, so nothing is on record.
		s.Revoke(ctx, ref(third))
		s.Import(ctx, webhookSpec(), Foreign{Digest: credential.DigestToken(foreignToken)})
		s.Update(ctx, ref(api), Patch{})
		s.Rotate(ctx, ref(third), Rotation{})
		s.Finish(ctx, ref(third))
		s.Mint(ctx, apiSpec("billing", "three"))

		var got []string
		for _, e := range auditLog(t, s, AuditQuery{}) {
			got = append(got, fmt.Sprint(e.Action, " ", e.Credential, " ", e.Kind, " ", e.Label, " ", e.Actor, " ", e.Address, " ", e.Reason, " ", e.RequestID, " ", e.Detail))
			if e.Tenant != tenant || e.At.Before(c.CreatedAt) || e.At.After(s.Now().Add(time.Second)) {
				t.Errorf("entry %+v", e)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if first := auditLog(t, s, AuditQuery{})[0]; first.At != c.CreatedAt {
			t.Errorf("noted at %v, made at %v", first.At, c.CreatedAt)
		}
		seq := node(t, s.opened.Load()).HGet(t.Context(), s.keys.meta(), "seq").Val()
		if seq != fmt.Sprint(len(want)) {
			t.Errorf("%s changes, %d entries", seq, len(want))
		}
	})
}

func TestAuditQueries(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		var made []credential.Credential
		for range 7 {
			c, _ := mint(t, s, callbackSpec())
			made = append(made, c)
		}
		revoke(t, s, made[2])
		fresh, _ := rotateWith(t, s, made[3], Rotation{})
		revoke(t, s, fresh)
		theirs := callbackSpec()
		theirs.Tenant = otherTenant
		mint(t, s, theirs)
		for name, test := range map[string]struct {
			query AuditQuery
			want  int
		}{
			"all":            {AuditQuery{}, 10},
			"credential":     {AuditQuery{Credential: made[2].ID}, 2},
			"action":         {AuditQuery{Action: ActionRevoke}, 2},
			"rotated":        {AuditQuery{Credential: made[3].ID}, 2},
			"successor":      {AuditQuery{Credential: fresh.ID}, 2},
			"both":           {AuditQuery{Credential: made[2].ID, Action: ActionMint}, 1},
			"neither":        {AuditQuery{Credential: made[1].ID, Action: ActionRevoke}, 0},
			"another tenant": {AuditQuery{Credential: uuid.New()}, 0},
		} {
			for _, limit := range []int{1, 3, 100} {
				test.query.Limit = limit
				got := auditLog(t, s, test.query)
				if len(got) != test.want || !slices.IsSortedFunc(got, func(a, b AuditEntry) int { return a.At.Compare(b.At) }) {
					t.Errorf("%s, limit %d: %d entries, want %d", name, limit, len(got), test.want)
				}
			}
		}
	})
}

// TestAuditTellsWhatChanged: of a change before and after, of a rotation how long the old
// credential lives on.
func TestAuditTellsWhatChanged(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, _ := mint(t, s, callbackSpec())
		label, ends, ips := "after", time.Date(2127, 1, 2, 3, 4, 5, 0, time.UTC), []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		if _, err := s.Update(t.Context(), ref(c), Patch{Label: &label, ExpiresAt: &ends, AllowedIPs: &ips}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Update(t.Context(), ref(c), Patch{ExpiresAt: new(time.Time)}); err != nil {
			t.Fatal(err)
		}
		rotateWith(t, s, c, Rotation{Grace: time.Hour})
		until := get(t, s, c).GraceUntil.UTC().Format(time.RFC3339Nano)
		var got []string
		for _, e := range auditLog(t, s, AuditQuery{}) {
			got = append(got, e.Changes)
		}
		want := []string{
			"",
			`{"allowedIps":{"from":null,"to":["192.0.2.0/24"]},"expiresAt":{"from":null,"to":"2127-01-02T03:04:05Z"},"label":{"from":"` + c.Label + `","to":"after"}}`,
			`{"expiresAt":{"from":"2127-01-02T03:04:05Z","to":null}}`,
			`{"graceUntil":{"from":null,"to":"` + until + `"}}`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// TestAuditHasNoToken: one that an operator typed where words belong is in no entry.
func TestAuditHasNoToken(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		spec := callbackSpec()
		c, token := mint(t, s, spec)
		label := "was " + token
		if _, err := s.Update(t.Context(), ref(c), Patch{Label: &label}); err != nil {
			t.Fatal(err)
		}
		if err := s.Revoke(WithOrigin(t.Context(), Origin{Reason: "they posted " + token}), ref(c)); err != nil {
			t.Fatal(err)
		}
		for _, e := range auditLog(t, s, AuditQuery{}) {
			if said := fmt.Sprintf("%+v", e); strings.Contains(said, token) || e.Action == ActionRevoke && !strings.Contains(said, "they posted ") {
				t.Error(said)
			}
		}
	})
}

// TestAuditOfAnOlderRelease: entries without address and label are read as they are.
func TestAuditOfAnOlderRelease(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		id := uuid.New()
		node(t, s.opened.Load()).XAdd(t.Context(), &redis.XAddArgs{Stream: s.keys.audit(tenant), ID: "1700000000000-0", Values: []string{
			"at", "1700000000000", "x", "revoke", "w", "alice", "c", id.String(), "k", "callback", "y", "leaked", "q", "r-1",
		}})
		want := AuditEntry{
			ID: "1700000000000-0", At: time.UnixMilli(1700000000000).UTC(), Tenant: tenant, Actor: "alice", Action: ActionRevoke,
			Credential: id, Kind: credential.KindCallback, Reason: "leaked", RequestID: "r-1",
		}
		if got := auditLog(t, s, AuditQuery{}); len(got) != 1 || got[0] != want {
			t.Errorf("got %+v", got)
		}
	})
}

// TestEachAudit: whatever the number of entries, an export has each that is selected, once,
// oldest first.
func TestEachAudit(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		const entries = 2*readBatch + 7
		for i := range entries {
			node(t, s.opened.Load()).XAdd(t.Context(), &redis.XAddArgs{Stream: s.keys.audit(tenant), ID: fmt.Sprint(1000+i, "-0"), Values: []string{
				"at", fmt.Sprint(1000 + i), "x", ActionMint, "w", fmt.Sprint("actor-", i%2),
			}})
		}
		for name, test := range map[string]struct {
			query       AuditQuery
			first, last int64
			want        int
		}{
			"all":   {AuditQuery{}, 1000, 1000 + entries - 1, entries},
			"actor": {AuditQuery{Actor: "actor-1"}, 1001, 1000 + entries - 2, entries / 2},
			"since": {AuditQuery{Since: time.UnixMilli(1100)}, 1100, 1000 + entries - 1, entries - 100},
			"until": {AuditQuery{Until: time.UnixMilli(1100)}, 1000, 1099, 100},
			"both":  {AuditQuery{Since: time.UnixMilli(1099), Until: time.UnixMilli(1100)}, 1099, 1099, 1},
		} {
			for way, read := range map[string]func() []AuditEntry{
				"export": func() (all []AuditEntry) {
					err := s.EachAudit(t.Context(), tenant, test.query, func(page []AuditEntry) error {
						if len(page) > readBatch {
							t.Errorf("a page of %d entries", len(page))
						}
						all = append(all, page...)
						return nil
					})
					if err != nil {
						t.Fatal(err)
					}
					return all
				},
				"pages": func() []AuditEntry { return auditLog(t, s, test.query) },
			} {
				got := read()
				if len(got) != test.want || got[0].At.UnixMilli() != test.first || got[len(got)-1].At.UnixMilli() != test.last {
					t.Errorf("%s, %s: %d entries, want %d", name, way, len(got), test.want)
				}
			}
		}
		for range maxLists {
			s.lists <- struct{}{}
		}
		if err := s.EachAudit(t.Context(), tenant, AuditQuery{}, nil); !errors.Is(err, ErrManyLists) {
			t.Errorf("beside as many lists as may be read: %v", err)
		}
		if err := s.EachAudit(t.Context(), otherTenant, AuditQuery{}, func([]AuditEntry) error { return nil }); err != nil {
			t.Errorf("a short one: %v", err)
		}
	})
}

func TestRefusalsAreNoted(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		ctx := WithOrigin(t.Context(), Origin{Actor: "eve", RequestID: "r-2"})
		if err := s.NoteRefusal(ctx, tenant, "mintCallbackCredential HKG-2403"); err != nil {
			t.Fatal(err)
		}
		got := auditLog(t, s, AuditQuery{Action: ActionRefused})
		if len(got) != 1 || got[0].Actor != "eve" || got[0].RequestID != "r-2" || got[0].Detail != "mintCallbackCredential HKG-2403" || got[0].Credential != uuid.Nil {
			t.Errorf("noted %+v", got)
		}
		if n := node(t, s.opened.Load()).XLen(t.Context(), s.keys.ledger()).Val(); n != 0 {
			t.Errorf("a refusal made %d ledger entries", n)
		}
	})
	s := newStore(t, Config{Redis: redisconn.Server{URLs: []string{"redis://127.0.0.1:1"}}})
	if err := s.NoteRefusal(t.Context(), tenant, "x"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("before the start: %v", err)
	}
}

func TestAuditRetention(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		if err := s.Start(Tuning{UsageFlush: time.Hour, AuditKeep: 50, AuditLife: time.Hour, Logger: testLog(t)}); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			mint(t, s, callbackSpec())
		}
		// Redis dates entries by its own clock, so it is their life that is shortened.
		if err := s.Start(Tuning{UsageFlush: time.Hour, AuditKeep: 50, AuditLife: time.Millisecond, Logger: testLog(t)}); err != nil {
			t.Fatal(err)
		}
		last := auditLog(t, s, AuditQuery{})
		eventually(t, "the clock moves on", func() bool { return s.Now().Sub(last[len(last)-1].At) > 20*time.Millisecond })
		if err := s.NoteRefusal(t.Context(), tenant, "by a refusal"); err != nil {
			t.Fatal(err)
		}
		if left := auditLog(t, s, AuditQuery{}); len(last) != 20 || len(left) > 1 {
			t.Errorf("%d entries before, %d left", len(last), len(left))
		}
		if err := s.Start(Tuning{UsageFlush: time.Hour, AuditKeep: 50, AuditLife: time.Hour, Logger: testLog(t)}); err != nil {
			t.Fatal(err)
		}
		for range 300 {
			mint(t, s, callbackSpec())
		}
		// Redis drops whole nodes of a stream, of 100 entries by default.
		if left := auditLog(t, s, AuditQuery{Limit: MaxPage}); len(left) < 50 || len(left) > 50+200 {
			t.Errorf("%d entries are kept of 50", len(left))
		}
	})
}

// TestNobodyFillsTheAuditLogAlone: however much one operator does, what others have done
// stays on record.
func TestNobodyFillsTheAuditLogAlone(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		tuning := *s.tuning.Load()
		tuning.AuditKeep = 50
		if err := s.Start(tuning); err != nil {
			t.Fatal(err)
		}
		by := func(actor string, n int) {
			for range n {
				if _, _, err := s.Mint(WithOrigin(t.Context(), Origin{Actor: actor}), callbackSpec()); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := func(total int, counts map[string]int) {
			t.Helper()
			got := make(map[string]int)
			entries := auditLog(t, s, AuditQuery{Limit: MaxPage})
			for _, e := range entries {
				got[e.Actor]++
			}
			if len(entries) != total || !maps.Equal(got, counts) {
				t.Errorf("%d entries, %v, want %v", len(entries), got, counts)
			}
		}
		by("alice", 5)
		by("mallory", 300)
		want(50, map[string]int{"alice": 5, "mallory": 45})
		by("bob", 10)
		want(50, map[string]int{"alice": 5, "mallory": 35, "bob": 10})
		newest := auditLog(t, s, AuditQuery{})
		by("mallory", 1)
		if again := auditLog(t, s, AuditQuery{}); again[len(again)-1].Actor != "mallory" || again[len(again)-2].ID != newest[len(newest)-1].ID {
			t.Error("the newest entries are not there")
		}
		by("bob", 30)
		by("carol", 30) // the oldest goes, until she too would have more than half
		want(50, map[string]int{"bob": 25, "carol": 25})
	})
}

// TestTheLastPageOfTheAuditLog: a page that ends with the last entry has no next one, whatever
// else the log holds.
func TestTheLastPageOfTheAuditLog(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		for range 3 {
			c, _ := mint(t, s, callbackSpec())
			revoke(t, s, c)
		}
		for name, tc := range map[string]struct {
			query AuditQuery
			more  bool
		}{
			"all":                {AuditQuery{Limit: 6}, false},
			"all but one":        {AuditQuery{Limit: 5}, true},
			"all of an action":   {AuditQuery{Limit: 3, Action: ActionMint}, false},
			"fewer of an action": {AuditQuery{Limit: 2, Action: ActionMint}, true},
		} {
			page, next, err := s.Audit(t.Context(), tenant, tc.query)
			if err != nil || len(page) != tc.query.Limit || (next != "") != tc.more {
				t.Errorf("%s: %d entries, cursor %q, %v", name, len(page), next, err)
			}
		}
		if n := len(auditLog(t, s, AuditQuery{Limit: 2})); n != 6 {
			t.Errorf("%d entries page by page", n)
		}
	})
}

// TestARevocationIsNotHeldUpByItsAudit, nor any other change.
func TestARevocationIsNotHeldUpByItsAudit(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, s, _ *Store) {
		c, token := mint(t, s, callbackSpec())
		client := node(t, s.opened.Load())
		client.Del(t.Context(), s.keys.audit(tenant))
		client.SAdd(t.Context(), s.keys.audit(tenant), "not a stream")
		revoke(t, s, c)
		wantStanding(t, s, token, keyring.Revoked)
		if got := get(t, s, c); got.RevokedAt.IsZero() {
			t.Error("the record is not revoked")
		}
		mint(t, s, callbackSpec())
		if err := s.NoteRefusal(t.Context(), tenant, "x"); !errors.Is(err, ErrUnavailable) {
			t.Errorf("NoteRefusal: %v", err)
		}
		if _, _, err := s.Audit(t.Context(), tenant, AuditQuery{}); !errors.Is(err, ErrUnavailable) {
			t.Errorf("Audit: %v", err)
		}
	})
}
