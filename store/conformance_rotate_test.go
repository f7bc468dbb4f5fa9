package store

import (
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

func TestRotateReplacesTheToken(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		for _, spec := range []credential.Spec{callbackSpec(), webhookSpec()} {
			spec.ExpiresAt = time.Now().Add(time.Hour)
			old, oldToken := mint(t, s, spec)
			fresh, token := rotate(t, s, old)
			wantStanding(t, s, oldToken, keyring.Revoked)
			wantStanding(t, s, token, keyring.Live)
			if key, _ := s.Keyring().Lookup(credential.DigestToken(oldToken)); key.ID != old.ID {
				t.Errorf("the revoked token names %v, want %v", key.ID, old.ID)
			}
			if fresh.ID == old.ID || token == oldToken {
				t.Fatal("rotation kept the id or the token")
			}
			stored := get(t, s, fresh)
			fresh.Version = stored.Version
			if !reflect.DeepEqual(stored, fresh) {
				t.Errorf("stored %+v\nanswered %+v", stored, fresh)
			}
			if fresh.RotatedAt.IsZero() || fresh.RotatedAt != fresh.CreatedAt || !fresh.RevokedAt.IsZero() || fresh.Supersedes != old.ID {
				t.Errorf("the new record: %+v", fresh)
			}
			if fresh.Label != old.Label || fresh.Vendor != old.Vendor || fresh.Connection != old.Connection || fresh.ExpiresAt != old.ExpiresAt {
				t.Errorf("rotation changed what it should keep: %+v, was %+v", fresh, old)
			}
			ended := get(t, s, old)
			if ended.RevokedAt != fresh.RotatedAt || ended.SupersededBy != fresh.ID || !ended.RotatedAt.IsZero() {
				t.Errorf("the old record: %+v, want revoked at %v", ended, fresh.RotatedAt)
			}
			if all := list(t, s, spec.Tenant, spec.Kind); len(all) != 2 {
				t.Errorf("%d credentials after one mint and one rotation", len(all))
			}
		}
		wantCounts(t, s, 1, 1)
	})
}

func TestRotateRefusesWhatHasEnded(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		revoked, _ := mint(t, s, callbackSpec())
		revoke(t, s, revoked)
		spec := callbackSpec()
		spec.ExpiresAt = time.Now().Add(-time.Second)
		expired, _ := mint(t, s, spec)
		rotated, _ := mint(t, s, callbackSpec())
		rotate(t, s, rotated)
		for name, c := range map[string]credential.Credential{"revoked": revoked, "expired": expired, "rotated": rotated} {
			if _, token, err := s.Rotate(t.Context(), ref(c), Rotation{}); !errors.Is(err, ErrInactive) || token != "" {
				t.Errorf("Rotate of a %s credential: token %t, error %v", name, token != "", err)
			}
		}
	})
}

func TestRevokeIsFinal(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, token := mint(t, s, callbackSpec())
		revoke(t, s, c)
		wantStanding(t, s, token, keyring.Revoked)
		first := get(t, s, c)
		if first.RevokedAt.Before(first.CreatedAt) || first.Status(time.Now()) != credential.StatusRevoked {
			t.Fatalf("after Revoke: %+v", first)
		}
		eventually(t, "the clock moves on", func() bool { return time.Since(first.RevokedAt) > 3*time.Millisecond })
		revoke(t, s, c)
		if second := get(t, s, c); !reflect.DeepEqual(second, first) {
			t.Errorf("revoking again changed the record: %+v, was %+v", second, first)
		}
		wantStanding(t, s, token, keyring.Revoked)
		wantCounts(t, s, 0, 0)
	})
}

func TestOneOfManyRotationsWins(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, oldToken := mint(t, s, callbackSpec())
		var won atomic.Pointer[string]
		var wins atomic.Int64
		race(50, func() {
			switch _, token, err := s.Rotate(t.Context(), ref(c), Rotation{}); {
			case err == nil:
				wins.Add(1)
				won.Store(&token)
			case !errors.Is(err, ErrInactive):
				t.Errorf("a losing rotation: %v, want ErrInactive", err)
			}
		})
		if wins.Load() != 1 {
			t.Fatalf("%d rotations succeeded", wins.Load())
		}
		wantStanding(t, s, oldToken, keyring.Revoked)
		wantStanding(t, s, *won.Load(), keyring.Live)
		if all := list(t, s, tenant, credential.KindCallback); len(all) != 2 {
			t.Errorf("%d credentials after one rotation", len(all))
		}
	})
}

func TestRevokeAgainstRotate(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, oldToken := mint(t, s, callbackSpec())
		var turn atomic.Int64
		race(20, func() {
			var err error
			if turn.Add(1)%2 == 0 {
				err = s.Revoke(t.Context(), ref(c))
			} else if _, _, err = s.Rotate(t.Context(), ref(c), Rotation{}); errors.Is(err, ErrInactive) {
				err = nil
			}
			if err != nil {
				t.Error(err)
			}
		})
		wantStanding(t, s, oldToken, keyring.Revoked)
		all := list(t, s, tenant, credential.KindCallback)
		if len(all) > 2 || all[len(all)-1].RevokedAt.IsZero() {
			t.Errorf("after the race: %+v", all)
		}
	})
}

// race runs f in n goroutines at once and waits for them.
func race(n int, f func()) {
	start := make(chan struct{})
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			<-start
			f()
		})
	}
	close(start)
	all.Wait()
}

func TestSidecarsFollowEachOther(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, a, b *Store) {
		c, token := mint(t, a, callbackSpec()) // also the first change of the data set
		eventually(t, "b accepts what a minted", func() bool { return standing(b, token) == keyring.Live })
		fresh, newToken := rotate(t, b, c)
		eventually(t, "a follows the rotation", func() bool {
			// A snapshot knows live digests only, so the old token may be unknown.
			return standing(a, token) != keyring.Live && standing(a, newToken) == keyring.Live
		})
		revoke(t, a, fresh)
		eventually(t, "b follows the revocation", func() bool { return standing(b, newToken) != keyring.Live })
		for name, s := range map[string]*Store{"a": a, "b": b} {
			eventually(t, name+" is up to date", func() bool {
				st := s.Stats(time.Now())
				return st.RedisUp && st.Credentials[credential.KindCallback] == 0
			})
		}
	})
}

func TestRevokingAgainRefusesHereAtOnce(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, a, b *Store) {
		for range 20 {
			c, token := mint(t, a, callbackSpec())
			eventually(t, "b accepts the token", func() bool { return standing(b, token) == keyring.Live })
			revoke(t, a, c)
			revoke(t, b, c) // a no-op in Redis, and maybe before b has read the ledger
			wantStanding(t, b, token, keyring.Revoked)
		}
	})
}

func TestOneOfManyRotationsWinsAcrossSidecars(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, a, b *Store) {
		c, _ := mint(t, a, callbackSpec())
		var wins, turn atomic.Int64
		race(50, func() {
			s := []*Store{a, b}[turn.Add(1)%2]
			if _, _, err := s.Rotate(t.Context(), ref(c), Rotation{}); err == nil {
				wins.Add(1)
			} else if !errors.Is(err, ErrInactive) {
				t.Errorf("a losing rotation: %v, want ErrInactive", err)
			}
		})
		if wins.Load() != 1 {
			t.Errorf("%d rotations succeeded", wins.Load())
		}
	})
}
