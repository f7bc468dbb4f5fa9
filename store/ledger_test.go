package store

import (
	"maps"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// behindProxy is a sidecar that can be cut off, and one that cannot.
func behindProxy(t *testing.T) (behind, other *Store, proxy *redistest.Proxy, server *redistest.Server) {
	t.Helper()
	server = redistest.Start(t)
	proxy = redistest.NewProxy(t, server)
	return open(t, Config{Redis: redisconn.Server{URLs: []string{proxy.URL()}}}), openOn(t, server), proxy, server
}

func TestLedgerIsFollowedOnAfterACut(t *testing.T) {
	t.Parallel()
	behind, other, proxy, _ := behindProxy(t)
	c, token := mint(t, other, callbackSpec())
	eventually(t, "it follows", func() bool { return standing(behind, token) == keyring.Live })
	awaitProof(t, behind)
	loads := behind.Stats(time.Now()).Resyncs
	proxy.Cut()
	awaitDown(t, behind)
	revoke(t, other, c)
	var tokens []string
	for range 20 {
		_, token := mint(t, other, callbackSpec())
		tokens = append(tokens, token)
	}
	wantStanding(t, behind, token, keyring.Live) // it cannot know, and its age says so
	proxy.Restore()
	eventually(t, "the revocation arrives", func() bool { return standing(behind, token) == keyring.Revoked })
	for _, token := range tokens {
		eventually(t, "every mint arrives", func() bool { return standing(behind, token) == keyring.Live })
	}
	if got := behind.Stats(time.Now()).Resyncs; !maps.Equal(got, loads) {
		t.Errorf("snapshots taken: %v, were %v", got, loads)
	}
}

func TestLostLedgerIsAGap(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(rdb *redis.Client, key string) error{
		"trimmed": func(rdb *redis.Client, key string) error { return rdb.XTrimMaxLen(t.Context(), key, 0).Err() },
		"deleted": func(rdb *redis.Client, key string) error { return rdb.Del(t.Context(), key).Err() },
		"trimmed to the newest": func(rdb *redis.Client, key string) error {
			return rdb.XTrimMaxLen(t.Context(), key, 1).Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			behind, other, proxy, server := behindProxy(t)
			c, token := mint(t, other, callbackSpec())
			eventually(t, "it follows", func() bool { return standing(behind, token) == keyring.Live })
			awaitProof(t, behind)
			proxy.Cut()
			awaitDown(t, behind)
			revoke(t, other, c)
			for range 3 {
				mint(t, other, callbackSpec())
			}
			if err := lose(server.Client(), other.keys.ledger()); err != nil {
				t.Fatal(err)
			}
			proxy.Restore()
			eventually(t, "the gap is noticed", func() bool { return behind.Stats(time.Now()).Resyncs[ResyncGap] == 1 })
			// Remembered as revoked, too, should a failover bring it back later.
			wantStanding(t, behind, token, keyring.Revoked)
			if got := behind.Stats(time.Now()).Credentials[credential.KindCallback]; got != 3 {
				t.Errorf("%d live credentials, want 3", got)
			}
			_, fresh := mint(t, other, callbackSpec())
			eventually(t, "the ledger is followed again", func() bool { return standing(behind, fresh) == keyring.Live })
		})
	}
}

// An older backup, or a failover that lost writes: Redis has another history than
// the one this process has seen.
func TestLostWritesAreAFork(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb := server.Client()
	s := openOn(t, server)
	victim, token := mint(t, s, callbackSpec())
	_, kept := mint(t, s, callbackSpec())
	awaitProof(t, s)
	backup := snapshotKeys(t, rdb)
	revoke(t, s, victim)
	_, lost := mint(t, s, callbackSpec())
	awaitProof(t, s)
	rdb.TxPipelined(t.Context(), func(p redis.Pipeliner) error {
		p.FlushAll(t.Context())
		for key, value := range backup {
			p.Restore(t.Context(), key, 0, value)
		}
		return nil
	})
	eventually(t, "the fork is noticed", func() bool { return s.Stats(time.Now()).Resyncs[ResyncFork] == 1 })
	wantStanding(t, s, token, keyring.Revoked) // whatever the old data set says
	wantStanding(t, s, lost, keyring.Unknown)  // nobody could revoke it
	wantStanding(t, s, kept, keyring.Live)
	_, fresh := mint(t, s, callbackSpec())
	wantStanding(t, s, fresh, keyring.Live)
	revoke(t, s, victim) // an operator can make Redis agree
	if got := get(t, s, victim); got.RevokedAt.IsZero() {
		t.Error("the record is not revoked")
	}
}
