package faults

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redistest"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestOutOfMemory: Redis takes nothing new, and yet revocations.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithArgs("--maxmemory-policy", "noeviction"))
	a, b := open(t, at(server)), open(t, at(server))
	all := a.fill()
	other, otherToken := a.mint()
	b.sees("the other token", otherToken, guard.Allowed)
	if err := server.Client().ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	a.wantUnavailable()
	if _, _, err := a.Rotate(t.Context(), ref(all.credential), store.Rotation{}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Rotate: %v", err)
	}
	a.want("a token that could not be rotated", all.live, guard.Allowed)
	a.revoke(all.credential)
	a.want("the revoked token", all.live, guard.Revoked)
	b.sees("the revoked token", all.live, guard.Revoked)
	b.revoke(other)
	a.sees("the other token", otherToken, guard.Revoked)
	for _, s := range []*sidecar{a, b} {
		s.awaitProof() // it is not an outage for vendors
		s.want("an unheard token", unheard, guard.Unknown)
	}
	if err := server.Client().ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	a.mint()
}

// TestConcurrentRotations: of rotations of one credential, on two sidecars and many
// requests, exactly one succeeds; the rest are told that it has ended.
func TestConcurrentRotations(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 50} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			sidecars := []*sidecar{open(t, at(server)), open(t, at(server))}
			c, old := sidecars[0].mint()
			sidecars[1].sees("the token", old, guard.Allowed)
			var won atomic.Pointer[string]
			var wins atomic.Int64
			start := make(chan struct{})
			var all sync.WaitGroup
			for i := range n {
				all.Go(func() {
					<-start
					switch _, token, err := sidecars[i%2].Rotate(t.Context(), ref(c), store.Rotation{}); {
					case err == nil:
						wins.Add(1)
						won.Store(&token)
					case !errors.Is(err, store.ErrInactive) || token != "":
						t.Errorf("rotation %d: token %t, %v, want ErrInactive", i, token != "", err)
					}
				})
			}
			close(start)
			all.Wait()
			if wins.Load() != 1 {
				t.Fatalf("%d rotations succeeded", wins.Load())
			}
			for _, s := range sidecars {
				s.sees("the old token", old, guard.Revoked)
				s.sees("the new token", *won.Load(), guard.Allowed)
			}
			credentials, err := listed(t.Context(), sidecars[0].Store)
			if err != nil || len(credentials) != 2 {
				t.Errorf("%d credentials, %v", len(credentials), err)
			}
		})
	}
}

// TestWaitReplicas: with wait_replicas a revocation counts only when replicas have it.
// Until then it holds here, and repeating it waits for them again.
func TestWaitReplicas(t *testing.T) {
	t.Parallel()
	l := startLossy(t)
	a, b := open(t, at(l.clients), waitReplicas(1)), open(t, at(l.clients), waitReplicas(1))
	plain := open(t, at(l.clients))
	all := plain.fill()
	b.sees("the live token", all.live, guard.Allowed)
	var kept string
	hookgatetest.Eventually(t, "a mints", func() (done bool) {
		_, token, err := a.tryMint()
		kept = token
		return err == nil
	})

	l.replication.Stall()
	if err := a.Revoke(t.Context(), ref(all.credential)); !errors.Is(err, store.ErrNotReplicated) {
		t.Fatalf("Revoke without a replica: %v", err)
	}
	a.want("the revoked token", all.live, guard.Revoked)
	b.sees("the revoked token", all.live, guard.Revoked)
	plain.sees("the revoked token", all.live, guard.Revoked, guard.Unknown)
	// On this sidecar or another, over connections that have written nothing since.
	for _, s := range []*sidecar{a, b} {
		if err := s.Revoke(t.Context(), ref(all.credential)); !errors.Is(err, store.ErrNotReplicated) {
			t.Errorf("Revoke again: %v", err)
		}
	}
	if _, token, err := b.tryMint(); !errors.Is(err, store.ErrNotReplicated) || token != "" {
		t.Errorf("Mint: token %t, %v", token != "", err)
	}
	if err := plain.Revoke(t.Context(), ref(all.credential)); err != nil {
		t.Errorf("Revoke on a sidecar that does not wait: %v", err)
	}
	l.replication.Restore()
	hookgatetest.Eventually(t, "the replica is back", func() bool { return a.Revoke(t.Context(), ref(all.credential)) == nil })
	if err := b.Revoke(t.Context(), ref(all.credential)); err != nil {
		t.Errorf("Revoke on the other sidecar: %v", err)
	}
	// What was acknowledged so is not lost by a failover, to nobody.
	l.replication.BlackHole()
	l.fail(t)
	newcomer := open(t, at(l.clients))
	newcomer.want("the token that was kept", kept, guard.Allowed)
	newcomer.want("the revoked token", all.live, guard.Revoked) // as the ledger tells
	if newcomer.record(all.credential).RevokedAt.IsZero() {
		t.Error("the record is not revoked")
	}
	a.awaitProof()
	if got := a.Revoke(t.Context(), ref(all.credential)); !errors.Is(got, store.ErrNotReplicated) {
		t.Errorf("Revoke with a master that has no replica: %v", got)
	}
}

// TestLostRevocationsDoNotHoldUpTheProof: after a failover no replica is there to wait
// for, and there is much to be written again.
func TestLostRevocationsDoNotHoldUpTheProof(t *testing.T) {
	t.Parallel()
	l := startLossy(t)
	a := open(t, at(l.clients), waitReplicas(1), bound(4*time.Second))
	operator := open(t, at(l.clients)) // does not wait
	const n = 30
	var credentials []credential.Credential
	for range n {
		c, _ := operator.mint()
		credentials = append(credentials, c)
	}
	_, kept := operator.mint()
	a.awaitProof()
	l.replica.AwaitCaughtUp(t, l.master)
	l.replication.BlackHole()
	for _, c := range credentials {
		operator.revoke(c)
	}
	a.awaitProof()
	l.fail(t)
	a.awaitProof()
	third := open(t, at(l.clients))
	hookgatetest.Eventually(t, "all are revoked again", func() bool {
		a.want("the token that was kept", kept, guard.Allowed)
		for _, c := range credentials {
			if third.record(c).RevokedAt.IsZero() {
				return false
			}
		}
		return true
	})
}

func TestEmbeddedHasNoReplicas(t *testing.T) {
	t.Parallel()
	s, err := store.New(store.Config{EmbeddedDir: t.TempDir(), Namespace: "hookgate"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Destruct() })
	if err := s.Start(store.Tuning{WaitReplicas: 1}); err == nil {
		t.Error("it starts with wait_replicas 1")
	}
}

// TestSkewedClock: a sidecar whose clock is an hour off judges expiry by the clock of
// Redis, revokes and follows as the others do, and does not poison lastUsedAt.
func TestSkewedClock(t *testing.T) {
	t.Parallel()
	for name, skew := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			right := open(t, at(server))
			wrong := open(t, at(server), func(c *store.Config, _ *store.Tuning) {
				c.Clock = func() time.Time { return time.Now().Add(skew) }
			})
			all := wrong.fill()
			expiring := func(after time.Duration) (string, time.Time) {
				t.Helper()
				expires := time.Now().Add(after)
				_, token, err := right.Mint(context.Background(), credential.Spec{Tenant: tenant, Kind: credential.KindCallback, ExpiresAt: expires})
				if err != nil {
					t.Fatal(err)
				}
				return token, expires
			}
			later, _ := expiring(10 * time.Minute)
			expired, _ := expiring(-10 * time.Minute)
			soon, expires := expiring(3 * time.Second)
			for _, s := range []*sidecar{right, wrong} {
				s.sees("a token that expires later", later, guard.Allowed)
				s.sees("an expired token", expired, guard.Expired)
				s.sees("the live token", all.live, guard.Allowed)
				s.sees("a token when its time has come", soon, guard.Expired)
				if late := time.Since(expires); late < -100*time.Millisecond {
					t.Errorf("expired %v too early", -late)
				}
			}
			wrong.MarkUsed(all.credential.ID, wrong.now())
			hookgatetest.Eventually(t, "the use is written", func() bool {
				used := right.record(all.credential).LastUsedAt
				if !used.IsZero() && time.Since(used).Abs() > time.Minute {
					t.Fatalf("used at %v", used)
				}
				return !used.IsZero()
			})
			// The bound is counted by the sidecar's own clock, whatever that shows.
			if age := wrong.stats().Age; age > hookgatetest.Patience {
				t.Errorf("age %v", age)
			}
			right.revoke(all.credential)
			wrong.sees("the revoked token", all.live, guard.Revoked)
		})
	}
}
