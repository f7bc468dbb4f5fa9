package faults

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// Sentinel and Cluster put the replica in the place of a master that died or hangs.
// Sidecars follow without a restart, and lose nothing that the replica had.
func TestFailover(t *testing.T) {
	t.Parallel()
	ends := map[string]func(*redistest.Server){"killed": (*redistest.Server).Kill}
	if long() {
		ends["hangs"] = (*redistest.Server).Suspend
	}
	for name, end := range ends {
		t.Run("sentinel, master "+name, func(t *testing.T) {
			t.Parallel()
			master := redistest.Start(t)
			replica := redistest.Start(t, redistest.ReplicaOf(master.Addr()))
			replica.AwaitReplica(t)
			sentinel := redistest.StartSentinel(t, master)
			sentinel.Await(t, "knows the replica", func(rdb *redis.Client) bool {
				return strings.Contains(rdb.Info(t.Context(), "sentinel").Val(), "slaves=1")
			})
			where := redisconn.Server{Topology: redisconn.Sentinel, Master: redistest.SentinelMaster, URLs: []string{sentinel.URL()}}
			testFailover(t, where, master, replica, end)
		})
		t.Run("cluster, owner "+name, func(t *testing.T) {
			t.Parallel()
			cluster := redistest.StartCluster(t, "{hookgate}")
			where := redisconn.Server{Topology: redisconn.Cluster, URLs: cluster.URLs()}
			testFailover(t, where, cluster.Owner, cluster.Replica, end)
		})
	}
}

func testFailover(t *testing.T, where redisconn.Server, master, replica *redistest.Server, end func(*redistest.Server)) {
	a, b := open(t, where), open(t, where)
	all := a.fill()
	fresh, rotated, err := a.Rotate(context.Background(), ref(all.credential), store.Rotation{})
	if err != nil {
		t.Fatal(err)
	}
	all.credential, all.live = fresh, rotated
	b.sees("the live token", all.live, guard.Allowed)
	replica.AwaitCaughtUp(t, master)

	began := time.Now()
	end(master)
	a.awaitDown()
	b.awaitDown()
	for _, s := range []*sidecar{a, b} {
		s.wantSet(all) // from memory
	}
	// Asked again after a lost reply, a change may have met the new master already.
	if _, token, err := a.tryMint(); err == nil {
		a.want("a token minted during the failover", token, guard.Allowed)
	} else if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Mint: %v", err)
	}
	a.awaitProof()
	b.awaitProof()
	t.Logf("fresh again after %v", time.Since(began).Round(100*time.Millisecond))
	for _, s := range []*sidecar{a, b} {
		s.wantSet(all)
	}
	// The way to write is found by the commands' own connections.
	hookgatetest.Eventually(t, "changes are taken", func() bool { _, _, err := b.tryMint(); return err == nil })
	_, token := b.mint()
	a.sees("a token minted after the failover", token, guard.Allowed)
	hookgatetest.Eventually(t, "a revokes", func() bool { return a.Revoke(context.Background(), ref(all.credential)) == nil })
	a.want("the revoked token", all.live, guard.Revoked)
	b.sees("the revoked token", all.live, guard.Revoked)
	if info := replica.Client().Info(t.Context(), "replication").Val(); !strings.Contains(info, "role:master") {
		t.Errorf("the replica is no master: %s", info)
	}
	// Nothing was lost, so nobody had to read the whole keyring again.
	for _, s := range []*sidecar{a, b} {
		if n := s.stats().Resyncs; n[store.ResyncFork]+n[store.ResyncGap] != 0 {
			t.Errorf("resyncs: %v", n)
		}
	}
}
