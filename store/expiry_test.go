package store

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store/journal"
	"github.com/hookgate/hookgate/store/redisconn"
)

// TestExpiryInTheYear10000: what was minted before there was a latest expiry is shown, and
// dumped, with the latest one; a dump with a later one is refused.
func TestExpiryInTheYear10000(t *testing.T) {
	t.Parallel()
	s := open(t, Config{EmbeddedDir: t.TempDir()})
	c, _ := mint(t, s, callbackSpec())
	late := redisconn.FormatMillis(time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600)))
	node(t, s.opened.Load()).HSet(t.Context(), s.keys.record(c.ID), fieldExpiresAt, late)
	if all := list(t, s, tenant, credential.KindCallback); len(all) != 1 || !all[0].ExpiresAt.Equal(credential.LatestExpiry) {
		t.Errorf("listed: %+v", all)
	}
	dir := t.TempDir()
	if _, err := s.Dump(t.Context(), filepath.Join(dir, "dump")); err != nil {
		t.Fatal(err)
	}
	if n, err := open(t, Config{EmbeddedDir: t.TempDir()}).Restore(t.Context(), filepath.Join(dir, "dump")); n != 1 || err != nil {
		t.Errorf("Restore: %d, %v", n, err)
	}
	fields := append([]string{dumpCredential, c.ID.String()}, recordFields(&c)...)
	fields = append(fields, fieldCreatedAt, "1000", fieldVersion, "1", fieldExpiresAt, late)
	written, err := journal.Write(filepath.Join(dir, "late"), func(emit func([]string) error) error {
		return errors.Join(emit([]string{dumpBegin, dumpVersion}), emit(fields), emit([]string{dumpEnd, "1"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	written.Close()
	if n, err := open(t, Config{EmbeddedDir: t.TempDir()}).Restore(t.Context(), filepath.Join(dir, "late")); n != 0 || !errors.Is(err, credential.ErrInvalid) {
		t.Errorf("Restore of a late one: %d, %v", n, err)
	}
}
