package store

import (
	"errors"
	"testing"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redistest"

	"github.com/hookgate/hookgate/store/redisconn"
)

// TestRevocationThatIsDenied: where the ACL denies a command, asking again is not
// answered as if the token were gone, and once it is allowed finishes the job.
func TestRevocationThatIsDenied(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"hdel", "sadd", "hset", "xadd"} {
		t.Run(command, func(t *testing.T) {
			server := redistest.Start(t)
			rdb := server.Client()
			allow := func(rule string) {
				t.Helper()
				if err := rdb.Do(t.Context(), "ACL", "SETUSER", "default", rule).Err(); err != nil {
					t.Fatal(err)
				}
			}
			config := Config{Redis: redisconn.Server{URLs: []string{server.URL()}}}
			a, b := open(t, config), open(t, config)
			c, token := mint(t, a, callbackSpec())
			allow("-" + command)
			for range 2 {
				if err := a.Revoke(t.Context(), ref(c)); !errors.Is(err, ErrUnavailable) {
					// Without the ledger's entry the others read everything anew: that is an
					// acknowledged revocation, too, if the digest is gone.
					if left, _ := a.inBucket(t.Context(), c.Digest); err != nil || left {
						t.Errorf("Revoke: %v, and the digest is there: %t", err, left)
					}
				}
			}
			allow("+" + command)
			revoke(t, a, c)
			wantStanding(t, a, token, keyring.Revoked)
			eventually(t, "the other sidecar refuses the token", func() bool { return standing(b, token) != keyring.Live })
			if left, err := a.inBucket(t.Context(), c.Digest); left || err != nil {
				t.Errorf("the digest is there: %t, %v", left, err)
			}
		})
	}
}

// TestHalfRevoked: an older release has marked a record as revoked and left its digest.
// Whatever would take the record's word takes the digest away.
func TestHalfRevoked(t *testing.T) {
	for name, finish := range map[string]func(t *testing.T, s *Store, c credential.Credential){
		"revoked again": func(t *testing.T, s *Store, c credential.Credential) { revoke(t, s, c) },
		"imported again": func(t *testing.T, s *Store, c credential.Credential) {
			if _, _, err := s.Import(t.Context(), callbackSpec(), Foreign{Digest: c.Digest}); !errors.Is(err, ErrDigestTaken) {
				t.Errorf("Import: %v", err)
			}
		},
		"lost by Redis": func(t *testing.T, s *Store, c credential.Credential) {
			if err := s.revokeAgain(t.Context(), c.Digest, c.ID); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEachSharedBackEnd(t, func(t *testing.T, a, b *Store) {
				c, token := mint(t, a, callbackSpec())
				node(t, a.opened.Load()).HSet(t.Context(), a.keys.record(c.ID), fieldRevokedAt, "1000")
				finish(t, a, c)
				wantStanding(t, a, token, keyring.Revoked)
				eventually(t, "the other sidecar refuses the token", func() bool { return standing(b, token) == keyring.Revoked })
				if got := get(t, a, c); got.RevokedAt.UnixMilli() != 1000 {
					t.Errorf("revokedAt moved to %v", got.RevokedAt)
				}
			})
		})
	}
}
