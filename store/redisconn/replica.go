package redisconn

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// Sources of a snapshot.
const (
	FromMaster   = "master"
	FromReplicas = "replicas"
)

var (
	errSnapshotFrom = errors.New("snapshot_from is master or replicas")
	errNoReplicas   = errors.New("snapshot_from replicas needs redis cluster or redis sentinel: of a single address no replica is known")

	errNoReplica   = errors.New("no replica is known that is connected")
	errReplicaLost = errors.New("the connection to the replica is lost")
)

// CheckSnapshotFrom fails where SnapshotFrom is unknown, or no replica can be known.
func (s Server) CheckSnapshotFrom() error {
	switch s.SnapshotFrom {
	case "", FromMaster:
		return nil
	case FromReplicas:
		if s.Topology == Standalone {
			return errNoReplicas
		}
		return nil
	}
	return errSnapshotFrom
}

// OpenReplica returns a client of one replica of the server that holds the data set. It
// connects once: what it reads is of one server, or it fails.
func OpenReplica(ctx context.Context, topology Topology, opt *redis.UniversalOptions, key string) (*redis.Client, error) {
	find := findBySentinel
	if topology == Cluster {
		find = findInCluster
	}
	addr, err := find(ctx, opt, key)
	if err != nil {
		return nil, err
	}
	one := pooled(opt, 1)
	one.Addrs = []string{addr}
	simple := one.Simple()
	if topology == Cluster { // there a replica sends readers to its master unless they say this
		simple.OnConnect = func(ctx context.Context, conn *redis.Conn) error { return conn.ReadOnly(ctx).Err() }
	}
	dial := simple.Dialer
	var dialled atomic.Bool
	simple.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if dialled.Swap(true) {
			return nil, errReplicaLost
		}
		return dial(ctx, network, addr)
	}
	return redis.NewClient(simple), nil
}

func findInCluster(ctx context.Context, opt *redis.UniversalOptions, key string) (string, error) {
	asked := pooled(opt, 1)
	asked.Addrs = slices.Clone(opt.Addrs)
	options := asked.Cluster()
	options.NewClient = newClusterNode
	cluster := redis.NewClusterClient(options)
	defer cluster.Close()
	master, err := cluster.MasterForKey(ctx, key)
	if err != nil {
		return "", err
	}
	replica, err := cluster.SlaveForKey(ctx, key)
	if err != nil {
		return "", err
	}
	if replica.Options().Addr == master.Options().Addr {
		return "", errNoReplica
	}
	return replica.Options().Addr, nil
}

// findBySentinel asks one sentinel after the other.
func findBySentinel(ctx context.Context, opt *redis.UniversalOptions, _ string) (string, error) {
	err := errNoReplica
	for _, addr := range opt.Addrs {
		asked := pooled(opt, 1)
		asked.Addrs, asked.DB, asked.CredentialsProviderContext = []string{addr}, 0, nil
		asked.Username, asked.Password = opt.SentinelUsername, opt.SentinelPassword
		sentinel := redis.NewSentinelClient(asked.Simple())
		replicas, askErr := sentinel.Replicas(ctx, opt.MasterName).Result()
		sentinel.Close()
		if askErr != nil {
			err = askErr
			continue
		}
		replicas = slices.DeleteFunc(replicas, func(r map[string]string) bool { return !connected(r) })
		if len(replicas) > 0 {
			one := replicas[rand.N(len(replicas))]
			return net.JoinHostPort(one["ip"], one["port"]), nil
		}
	}
	return "", err
}

// connected reports whether a sentinel says of a replica that it is there and follows its
// master.
func connected(replica map[string]string) bool {
	for flag := range strings.SplitSeq(replica["flags"], ",") {
		if flag == "s_down" || flag == "o_down" || flag == "disconnected" {
			return false
		}
	}
	return replica["master-link-status"] == "ok" && replica["ip"] != "" && replica["port"] != ""
}
