package faults

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// underTraffic runs move while vendors and operators go on. Vendors notice nothing; what
// an operator asks for is delayed, repeated until it is done, and not lost.
func underTraffic(t *testing.T, cluster *redistest.Nodes, move func(where redisconn.Server)) {
	t.Helper()
	where := redisconn.Server{Topology: redisconn.Cluster, URLs: cluster.URLs()}
	a, b := open(t, where), open(t, where)
	all := a.fill()
	for range 60 { // more than one batch of keys
		a.mint()
	}
	b.sees("the live token", all.live, guard.Allowed)
	b.sees("the revoked token", all.revoked, guard.Revoked, guard.Unknown)

	ctx, stop := context.WithCancel(t.Context())
	var traffic sync.WaitGroup
	for _, s := range []*sidecar{a, b} {
		traffic.Go(func() {
			for ; ctx.Err() == nil; time.Sleep(time.Millisecond) {
				if got := s.decide(all.live); got != guard.Allowed {
					t.Errorf("a vendor gets %s", got)
					return
				}
			}
		})
	}
	var minted, revoked []string
	traffic.Go(func() {
		for ctx.Err() == nil {
			var c credential.Credential
			var token string
			a.eventually("a mints", func() (done bool) {
				var err error
				c, token, err = a.tryMint()
				return err == nil
			})
			if len(minted) > len(revoked) {
				b.eventually("b revokes", func() bool { return b.Revoke(context.Background(), ref(c)) == nil })
				revoked = append(revoked, token)
			} else {
				minted = append(minted, token)
			}
		}
	})
	move(where)
	a.awaitProof()
	b.awaitProof()
	_, last := a.mint()
	stop()
	traffic.Wait()
	for _, s := range []*sidecar{a, b, open(t, where)} {
		s.sees("the last token", last, guard.Allowed)
		s.awaitProof()
		for _, token := range minted {
			s.want("a token minted meanwhile", token, guard.Allowed)
		}
		for _, token := range append(revoked, all.revoked) {
			if got := s.decide(token); got != guard.Revoked && got != guard.Unknown {
				t.Errorf("a token revoked meanwhile: %s", got)
			}
		}
	}
	for _, s := range []*sidecar{a, b} {
		if got := s.stats().Resyncs; got[store.ResyncFork]+got[store.ResyncGap] != 0 {
			t.Errorf("resyncs: %v", got)
		}
	}
}

// another returns a master that does not own the slot.
func another(cluster *redistest.Nodes) *redistest.Server {
	for _, s := range cluster.Masters {
		if s != cluster.Owner {
			return s
		}
	}
	return nil
}

// TestSlotIsMoved: key by key. Until the last key is there no change is acknowledged.
func TestSlotIsMoved(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, "{hookgate}")
	underTraffic(t, cluster, func(where redisconn.Server) {
		cluster.MoveSlot(t, "{hookgate}", another(cluster), func() {
			launch(t, where, offline).wantUnavailable()
			warned := false
			for _, f := range launch(t, where, offline).Check(t.Context()) {
				warned = warned || f.Check == "slot" && f.Severity == store.SeverityWarning
			}
			if !warned {
				t.Error("check does not warn")
			}
		})
	})
}

// TestSlotIsMovedAtomically: as Valkey 9.0 and Redis 8.4 can.
func TestSlotIsMovedAtomically(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, "{hookgate}")
	if !cluster.MovesAtomically(t) {
		t.Skip("the server moves slots key by key only")
	}
	underTraffic(t, cluster, func(redisconn.Server) { cluster.MoveSlotAtomically(t, "{hookgate}", another(cluster)) })
}
