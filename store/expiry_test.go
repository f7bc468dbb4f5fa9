package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
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

// TestTimesThatJSONCannotWrite: whatever the times of a record are, it is shown and dumped,
// and its expiry holds.
func TestTimesThatJSONCannotWrite(t *testing.T) {
	t.Parallel()
	const stripe = "\x06stripe\x06sealed\x01" // and when it was changed, and until when the older secret holds
	farFuture := string(binary.AppendUvarint(nil, math.MaxInt64))
	farPast := string(binary.AppendUvarint(nil, 1<<63))
	expiry := []string{fieldExpiresAt}
	times := []string{fieldCreatedAt, fieldLastUsedAt, fieldRotatedAt, fieldGraceUntil, fieldProof + "passed"}
	for name, c := range map[string]struct {
		fields []string
		value  string
		verify string
		want   credential.Status
	}{
		"expiry before the year 1":        {expiry, "-62167219200001", "", credential.StatusExpired},
		"expiry that is Go's zero time":   {expiry, "-62135596800000", "", credential.StatusExpired},
		"expiry in the first millisecond": {expiry, "0", "", credential.StatusExpired},
		"expiry at the lowest number":     {expiry, "-9223372036854775808", "", credential.StatusExpired},
		"revoked before the year 1":       {[]string{fieldRevokedAt}, "-62167219200001", "", credential.StatusRevoked},
		"revoked at Go's zero time":       {[]string{fieldRevokedAt}, "-62135596800000", "", credential.StatusRevoked},
		"revoked after the year 9999":     {[]string{fieldRevokedAt}, "253402300800000", "", credential.StatusRevoked},
		"the others before the year 1":    {times, "-62167219200001", stripe + farPast + farPast, credential.StatusExpired}, // the grace is over
		"the others after the year 9999":  {times, "253402300800000", stripe + farFuture + farFuture, credential.StatusGrace},
		"a refusal before the year 1":     {[]string{fieldLastRefusals}, "-62167219200001,expired,192.0.2.1", "", credential.StatusActive},
		"a refusal after the year 9999":   {[]string{fieldLastRefusals}, "253402300800000,expired,192.0.2.1", "", credential.StatusActive},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, Config{EmbeddedDir: dir})
			minted, token := mint(t, s, callbackSpec())
			var values []any
			for _, field := range c.fields {
				values = append(values, field, c.value)
			}
			node(t, s.opened.Load()).HSet(t.Context(), s.keys.record(minted.ID), append(values, fieldVerify, c.verify)...)
			shown := func(s *Store) {
				t.Helper()
				all := list(t, s, tenant, credential.KindCallback)
				if len(all) != 1 || all[0].Status(time.Now()) != c.want {
					t.Fatalf("%+v, want %s", all, c.want)
				}
				if _, err := json.Marshal(all); err != nil {
					t.Error(err)
				}
				if key := keyOf(&all[0]); c.want == credential.StatusExpired && (key.ExpiresAt <= 0 || key.ExpiresAt > time.Now().UnixMilli()) {
					t.Errorf("the keyring takes it to expire at %d", key.ExpiresAt)
				}
			}
			shown(s)
			if c.want == credential.StatusExpired && len(c.fields) == 1 {
				for _, disabled := range []bool{true, false} {
					if _, err := s.SetDisabled(t.Context(), Ref{Tenant: tenant, ID: minted.ID}, disabled); err != nil {
						t.Fatal(err)
					}
				}
				shown(s)
				wantStanding(t, s, token, keyring.Live) // with an expiry that has passed
			}
			dump := filepath.Join(dir, "dump")
			if _, err := s.Dump(t.Context(), dump); err != nil {
				t.Fatal(err)
			}
			restored := open(t, Config{EmbeddedDir: t.TempDir()})
			if n, err := restored.Restore(t.Context(), dump); n != 1 || err != nil {
				t.Fatalf("Restore: %d, %v", n, err)
			}
			shown(restored)
		})
	}
}
