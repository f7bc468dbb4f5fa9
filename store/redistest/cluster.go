package redistest

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Nodes are a Redis Cluster of three masters and a replica of one of them.
type Nodes struct {
	Masters []*Server
	// Owner is the master that owns the slot the cluster was started for, until a
	// failover; Replica is its replica.
	Owner, Replica *Server
}

const clusterSlots = 16384

// StartCluster runs a cluster until the test ends. The owner of key's slot has a
// replica, which takes its place two seconds after it went silent.
func StartCluster(t testing.TB, key string) *Nodes {
	t.Helper()
	c := &Nodes{}
	busPort := make(map[*Server]int)
	node := func() *Server {
		// The bus port is the other one plus 10000 by default, which may be taken or
		// beyond the last port.
		port := freePort(t)
		s := Start(t, WithArgs("--cluster-enabled", "yes", "--cluster-node-timeout", "2000",
			"--cluster-port", strconv.Itoa(port), "--cluster-replica-validity-factor", "0"))
		busPort[s] = port
		return s
	}
	for i := range 3 {
		s := node()
		c.Masters = append(c.Masters, s)
		must(t, s.Client().ClusterAddSlotsRange(t.Context(), i*clusterSlots/3, (i+1)*clusterSlots/3-1).Err())
		must(t, s.Client().Do(t.Context(), "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err())
	}
	slot, err := c.Masters[0].Client().ClusterKeySlot(t.Context(), key).Result()
	must(t, err)
	c.Owner = c.Masters[min(int(slot)*3/clusterSlots, 2)]
	c.Replica = node()
	all := append([]*Server{c.Replica}, c.Masters...)
	for _, s := range all[1:] {
		must(t, c.Replica.Client().Do(t.Context(), "CLUSTER", "MEET", "127.0.0.1", s.port, busPort[s]).Err())
	}
	for _, s := range all {
		s.Await(t, "knows the cluster", func(rdb *redis.Client) bool {
			info := rdb.ClusterInfo(t.Context()).Val()
			return strings.Contains(info, "cluster_known_nodes:4") && (s == c.Replica || strings.Contains(info, "cluster_state:ok"))
		})
	}
	owner, err := c.Owner.Client().ClusterMyID(t.Context()).Result()
	must(t, err)
	must(t, c.Replica.Client().ClusterReplicate(t.Context(), owner).Err())
	c.Replica.AwaitReplica(t)
	for _, s := range all {
		s.Await(t, "knows the replica", func(rdb *redis.Client) bool {
			nodes := rdb.ClusterNodes(t.Context()).Val()
			return strings.Contains(nodes, "slave "+owner) && strings.Contains(rdb.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
		})
	}
	return c
}

// URLs returns the addresses of all masters.
func (c *Nodes) URLs() []string {
	urls := make([]string, len(c.Masters))
	for i, s := range c.Masters {
		urls[i] = s.URL()
	}
	return urls
}

// AwaitReplica returns when the server is a replica that has its master's data.
func (s *Server) AwaitReplica(t testing.TB) {
	t.Helper()
	s.Await(t, "is a synchronised replica", func(rdb *redis.Client) bool {
		return strings.Contains(rdb.Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
}

// AwaitCaughtUp returns when the replica has everything that its master has. A replica
// that has loaded its master's data may still miss what was written since: a failover
// forced before then loses it.
func (s *Server) AwaitCaughtUp(t testing.TB, master *Server) {
	t.Helper()
	m := master.Client()
	s.Await(t, "has what its master has", func(rdb *redis.Client) bool {
		before, here, after := replication(t, m), replication(t, rdb), replication(t, m)
		// Offsets of servers that are not connected mean nothing: each counts from the
		// last time that it was.
		connected := here["master_link_status"] == "up" && strings.Contains(after["slave0"], "state=online")
		offset := here["master_repl_offset"]
		return connected && before["master_repl_offset"] == offset && after["master_repl_offset"] == offset
	})
}

// replication returns what a server says of its replication.
func replication(t testing.TB, rdb *redis.Client) map[string]string {
	t.Helper()
	info, err := rdb.InfoMap(t.Context(), "replication").Result()
	must(t, err)
	return info["Replication"]
}

// Await polls the server until the condition holds.
func (s *Server) Await(t testing.TB, what string, holds func(*redis.Client) bool) {
	t.Helper()
	rdb := s.Client()
	for deadline := time.Now().Add(startTimeout); !holds(rdb); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("redis-server at %s not within %v: %s", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), startTimeout, what)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
