package store

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/credential/credentialtest"
)

// limit changes how many live credentials a tenant may have.
func limit(t testing.TB, s *Store, quota int) {
	t.Helper()
	tuning := *s.tuning.Load()
	tuning.Quota = quota
	if err := s.Start(tuning); err != nil {
		t.Fatal(err)
	}
}

func wantRoom(t testing.TB, s *Store, room int) {
	t.Helper()
	for range room {
		mint(t, s, callbackSpec())
	}
	if _, _, err := s.Mint(t.Context(), callbackSpec()); !errors.Is(err, ErrQuota) {
		t.Fatalf("beyond the quota: %v", err)
	}
}

// TestQuota: what counts is what lives. A rotation makes no room and needs none, and
// neither a grace nor an expiry that is put off brings anybody beyond.
func TestQuota(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		now := time.Now().UnixMilli()
		defer s.at(func() int64 { return now })()
		limit(t, s, 4)
		a, _ := mint(t, s, callbackSpec())
		short := callbackSpec()
		short.ExpiresAt = time.UnixMilli(now + 1000)
		expiring, _ := mint(t, s, short)
		wantRoom(t, s, 2)

		other := callbackSpec()
		other.Tenant = otherTenant
		mint(t, s, other)
		if _, _, err := s.Import(t.Context(), callbackSpec(), Foreign{Digest: credentialtest.Digest(1)}); !errors.Is(err, ErrQuota) {
			t.Errorf("an import beyond: %v", err)
		}
		if _, created, err := s.Import(t.Context(), callbackSpec(), Foreign{Digest: a.Digest}); created || err != nil {
			t.Errorf("an import of what there is: %v", err)
		}

		// In a grace a pair counts once, whichever of the two is revoked.
		fresh, _, err := s.Rotate(t.Context(), ref(a), Rotation{Grace: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		wantRoom(t, s, 0)
		revoke(t, s, fresh)
		wantRoom(t, s, 0)
		revoke(t, s, a)
		wantRoom(t, s, 1)

		now += 2000 // the short one expires
		wantRoom(t, s, 1)
		later := time.UnixMilli(now + 1000)
		if _, err := s.Update(t.Context(), ref(expiring), Patch{ExpiresAt: &later}); !errors.Is(err, ErrQuota) {
			t.Errorf("an expiry is put off beyond the quota: %v", err)
		}
		limit(t, s, 5)
		if _, err := s.Update(t.Context(), ref(expiring), Patch{ExpiresAt: &later}); err != nil {
			t.Error(err)
		}
		wantRoom(t, s, 0)
		limit(t, s, NoQuota)
		mint(t, s, callbackSpec())
	})
}

// TestQuotaUnderConcurrentMints: it is exact, however many mint at once.
func TestQuotaUnderConcurrentMints(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, a, b *Store) {
		limit(t, a, 20)
		limit(t, b, 20)
		var minted, refused atomic.Int64
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				_, _, err := []*Store{a, b}[i%2].Mint(t.Context(), callbackSpec())
				switch {
				case err == nil:
					minted.Add(1)
				case errors.Is(err, ErrQuota):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if minted.Load() != 20 || refused.Load() != 20 {
			t.Errorf("%d minted, %d refused", minted.Load(), refused.Load())
		}
	})
}

// TestQuotaOfAnOlderDataSet: credentials that an older release minted count, and those
// that it revoked do not, before an upgrade and beside it.
func TestQuotaOfAnOlderDataSet(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, s, _ *Store) {
		limit(t, s, NoQuota)
		var minted []credential.Credential
		for range countBatch + 10 {
			c, _ := mint(t, s, callbackSpec())
			minted = append(minted, c)
		}
		for _, c := range minted[:countBatch] {
			revoke(t, s, c)
		}
		rdb := node(t, s.opened.Load())
		rdb.Del(t.Context(), s.keys.live(tenant))
		limit(t, s, 12)
		wantRoom(t, s, 2)

		// Beside it: one is minted and one revoked past the count.
		fill(t, s, 1)
		limit(t, s, 14)
		s.recounts.at = nil // as after recountAfter
		wantRoom(t, s, 1)
		now := minted[countBatch]
		rdb.HSet(t.Context(), s.keys.record(now.ID), fieldRevokedAt, "1")
		s.recounts.at = nil
		wantRoom(t, s, 1)
	})
}
