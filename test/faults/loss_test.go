package faults

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redistest"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// wantAging fails where the keyring is proved fresh once more, and returns when it is
// too old to call a token unknown.
func (s *sidecar) wantAging() {
	s.t.Helper()
	proved := s.proved()
	s.eventually("the age grows", func() bool { return s.stats().Age > unknownAge })
	if again := s.proved(); again.Sub(proved) > 100*time.Millisecond {
		s.t.Errorf("proved %v later", again.Sub(proved))
	}
}

// TestEmptiedRedis: a Redis without its data set, or with somebody else's, is a reason
// to know nothing, and never that every token is unknown. Only an operator's word makes
// it the new data set.
func TestEmptiedRedis(t *testing.T) {
	t.Parallel()
	for name, empty := range map[string]func(*testing.T, *redistest.Server){
		"FLUSHALL": func(t *testing.T, server *redistest.Server) {
			if err := server.Client().FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		},
		"restarted empty": func(_ *testing.T, server *redistest.Server) { server.Restart() },
		"foreign": func(t *testing.T, server *redistest.Server) {
			if err := server.Client().FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			open(t, at(server)).mint()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			a, b := open(t, at(server), bound(4*time.Second)), open(t, at(server), bound(4*time.Second))
			all := a.fill()
			b.sees("the live token", all.live, guard.Allowed)
			b.sees("the revoked token", all.revoked, guard.Revoked, guard.Unknown)
			empty(t, server)
			for _, s := range []*sidecar{a, b} {
				s.awaitDown()
				s.wantAging()
				s.want("the live token", all.live, guard.Allowed)
				s.want("an unheard token", unheard, guard.Stale)
				s.wantUnavailable()
			}
			for _, s := range []*sidecar{a, b} {
				s.sees("the live token", all.live, guard.Stale)
				s.want("the revoked token", all.revoked, guard.Stale)
			}
			operator := launch(t, at(server), func(_ *store.Config, t *store.Tuning) { t.Offline = true })
			if _, err := operator.NewEpoch(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, s := range []*sidecar{a, b} {
				s.sees("a token of the old data set", all.live, guard.Unknown)
				s.sees("a token revoked in it", all.revoked, guard.Unknown)
			}
			_, token := a.mint()
			b.sees("a token of the new data set", token, guard.Allowed)
		})
	}
}

// lossy is a master whose replica can be cut off from it, and sidecars that follow
// whichever of the two is the master.
type lossy struct {
	master, replica *redistest.Server
	replication     *redistest.Proxy // the replica's way to the master
	clients         *redistest.Proxy // the sidecars' way to the master
}

func startLossy(t *testing.T, options ...redistest.Option) lossy {
	l := lossy{master: redistest.Start(t, options...)}
	l.replication = redistest.NewProxy(t, l.master)
	l.replica = redistest.Start(t, redistest.ReplicaOf(l.replication.Addr()))
	l.replica.AwaitReplica(t)
	l.clients = redistest.NewProxy(t, l.master)
	return l
}

// fail makes the replica the master, with whatever it has.
func (l lossy) fail(t *testing.T) {
	t.Helper()
	l.replica.Promote()
	l.master.Kill()
	l.clients.Retarget(l.replica)
}

// TestFailoverThatLosesRevocations: none of them comes back on a sidecar that knew of
// it, and the new master is told.
func TestFailoverThatLosesRevocations(t *testing.T) {
	t.Parallel()
	// What the new master takes meanwhile decides how the loss shows: it is behind, of
	// the same length, or ahead.
	for name, more := range map[string]int{"behind": 0, "as long": 10, "ahead": 20} {
		if name != "as long" && !long() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n = 10
			l := startLossy(t)
			a, b := open(t, at(l.clients)), open(t, at(l.clients))
			var credentials []credential.Credential
			var tokens []string
			for range n {
				c, token := a.mint()
				credentials, tokens = append(credentials, c), append(tokens, token)
			}
			_, kept := a.mint()
			b.sees("the last token", kept, guard.Allowed)
			a.awaitProof()
			b.awaitProof()
			l.replica.AwaitCaughtUp(t, l.master)
			l.replication.BlackHole()
			for i, c := range credentials {
				if i%2 == 0 {
					a.revoke(c)
				} else if _, _, err := a.Rotate(t.Context(), ref(c), store.Rotation{}); err != nil {
					t.Fatal(err)
				}
			}
			_, lost := a.mint()
			for _, token := range tokens {
				b.sees("a revoked token", token, guard.Revoked)
			}
			b.sees("a token that will be lost", lost, guard.Allowed)
			l.replica.Promote()
			if more > 0 {
				// Somebody who has never heard of it all writes to the new master first.
				newcomer := open(t, at(l.replica))
				for range more {
					newcomer.mint()
				}
			}
			l.fail(t)
			// From here on, at every moment.
			watch, stop := context.WithCancel(t.Context())
			var watching sync.WaitGroup
			for _, s := range []*sidecar{a, b} {
				watching.Go(func() {
					for watch.Err() == nil {
						for i, token := range tokens {
							if got := s.decide(token); got == guard.Allowed {
								t.Errorf("token %d is back: %+v", i, s.stats())
								return
							}
						}
						time.Sleep(time.Millisecond)
					}
				})
			}
			a.awaitProof()
			b.awaitProof()
			third := open(t, at(l.clients)) // it knows only what Redis knows
			for i, c := range credentials {
				third.sees("a revoked token, to a newcomer", tokens[i], guard.Revoked, guard.Unknown)
				hookgatetest.Eventually(t, "its record is revoked", func() bool { return !third.record(c).RevokedAt.IsZero() })
			}
			a.awaitProof()
			b.awaitProof()
			stop()
			watching.Wait()
			for _, s := range []*sidecar{a, b, third} {
				s.want("the token that was kept", kept, guard.Allowed)
				s.want("the token that was lost", lost, guard.Unknown)
				for _, token := range tokens {
					if got := s.decide(token); got == guard.Allowed {
						t.Error("a revoked token is accepted in the end")
					}
				}
			}
			if got := a.stats().Resyncs; got[store.ResyncFork]+got[store.ResyncGap] == 0 {
				t.Errorf("the loss was not noticed: %v", got)
			}
		})
	}
}

// TestOlderBackup: Redis comes back from a snapshot that is older than some revocations.
func TestOlderBackup(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, b := open(t, at(server)), open(t, at(server))
	c, token := a.mint()
	rotated, rotatedToken := a.mint()
	_, kept := a.mint()
	b.sees("the last token", kept, guard.Allowed)
	if err := server.Client().Save(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	a.revoke(c)
	if _, _, err := a.Rotate(t.Context(), ref(rotated), store.Rotation{}); err != nil {
		t.Fatal(err)
	}
	b.sees("the revoked token", token, guard.Revoked)
	b.sees("the rotated token", rotatedToken, guard.Revoked)
	server.Kill()
	server.Restart()
	a.awaitProof()
	b.awaitProof()
	third := open(t, at(server))
	for _, s := range []*sidecar{a, b, third} {
		s.sees("the revoked token", token, guard.Revoked, guard.Unknown)
		s.sees("the rotated token", rotatedToken, guard.Revoked, guard.Unknown)
		s.want("the token that was kept", kept, guard.Allowed)
	}
	if third.record(c).RevokedAt.IsZero() || third.record(rotated).RevokedAt.IsZero() {
		t.Error("the records are not revoked")
	}
}

// TestTrimmedLedger: a sidecar that was cut off for longer than the ledger remembers
// takes a snapshot, and misses no revocation.
func TestTrimmedLedger(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server)
	cut, other := open(t, at(proxy)), open(t, at(server))
	all := other.fill()
	cut.sees("the live token", all.live, guard.Allowed)
	proxy.Cut()
	cut.awaitDown()
	other.revoke(all.credential)
	_, fresh := other.mint()
	if err := server.Client().XTrimMaxLen(t.Context(), "{hookgate}:log", 1).Err(); err != nil {
		t.Fatal(err)
	}
	cut.want("a token revoked meanwhile", all.live, guard.Allowed) // within the bound
	proxy.Restore()
	cut.awaitProof()
	cut.want("a token revoked meanwhile", all.live, guard.Revoked)
	cut.want("a token minted meanwhile", fresh, guard.Allowed)
	if got := cut.stats().Resyncs[store.ResyncGap]; got != 1 {
		t.Errorf("%d resyncs for a gap", got)
	}
}

// TestLosesItsConnections: most of them are replaced without anybody noticing.
func TestLosesItsConnections(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, b := open(t, at(server)), open(t, at(server))
	_, first := a.mint()
	b.sees("the first token", first, guard.Allowed)
	rdb := server.Client()
	ctx := t.Context()
	times := 5
	if long() {
		times = 50
	}
	for range times {
		if err := rdb.Do(ctx, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
			t.Fatal(err)
		}
		if err := rdb.ScriptFlush(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		var c credential.Credential
		var token string
		hookgatetest.Eventually(t, "a mints", func() (done bool) {
			var err error
			c, token, err = a.tryMint()
			return err == nil
		})
		b.sees("the minted token", token, guard.Allowed)
		hookgatetest.Eventually(t, "b revokes", func() bool { return b.Revoke(ctx, ref(c)) == nil })
		a.sees("the revoked token", token, guard.Revoked)
	}
	for _, s := range []*sidecar{a, b} {
		if got := s.stats().Resyncs; got[store.ResyncFork]+got[store.ResyncGap] != 0 {
			t.Errorf("resyncs: %v", got)
		}
	}
}
