// Package redisconn is the way to a Redis server, be it one, watched by sentinels or a
// cluster, and how scripts are sent there.
package redisconn

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Silence switches off the log of the client library, for the whole process.
func Silence() { redis.SetLogger(&logging.VoidLogger{}) }

// Pool sizes, in connections. The tail has a pool of its own: a blocked XREAD holds
// its connection, and must never keep a command waiting. So have the lists that operators
// read: they must never keep a change waiting.
const (
	CommandConnections = 8
	TailConnections    = 2
	ListConnections    = 4
)

// CommandTimeout is how long Redis may take to answer.
const CommandTimeout = time.Second

// connectionIdle is how long a connection may wait to be used. Load balancers and
// firewalls forget one after some minutes, the strictest after one.
const connectionIdle = 45 * time.Second

// Harden sets what go-redis' defaults get wrong for this purpose.
func Harden(opt *redis.UniversalOptions) {
	// Without it a context's deadline is ignored while waiting for an answer.
	opt.ContextTimeoutEnabled = true
	// A script whose answer is late must not be sent again behind our back.
	opt.MaxRetries = -1
	opt.DialerRetries = 1
	opt.DialTimeout = dialTimeout
	opt.ReadTimeout = CommandTimeout
	opt.WriteTimeout = CommandTimeout
	opt.ConnMaxIdleTime = connectionIdle
	// Both send commands at connect that older servers and tight ACLs refuse.
	opt.DisableIdentity = true
	opt.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// Conn is a way to the Redis server that holds the data set.
type Conn interface {
	// Node returns the client of the server that is the master now, as far as known.
	// In a cluster every command has to go through it: TIME and WAIT have no key, and
	// would go to any node.
	Node(ctx context.Context) (*redis.Client, error)
	// Failed learns of an error that Node's client returned. After that of a dead
	// connection Node's client opens another.
	Failed(ctx context.Context, err error)
	Close() error
}

// pooled returns opt for a pool of so many connections.
func pooled(opt *redis.UniversalOptions, connections int) redis.UniversalOptions {
	pooled := *opt
	pooled.PoolSize = connections
	pooled.PipelinePoolSize = -1 // pipelines share the pool
	return pooled
}

// ConnectInside returns a way to a data set in this process. A connection to it is never
// dead, only slow.
func ConnectInside(opt *redis.UniversalOptions, connections int) Conn {
	inside := pooled(opt, connections)
	return insideServer{redis.NewClient(inside.Simple())}
}

type insideServer struct{ *redis.Client }

func (s insideServer) Node(context.Context) (*redis.Client, error) { return s.Client, nil }
func (s insideServer) Failed(context.Context, error)               {}

// Connect returns a way to the data set. network is "unix" for a socket.
func Connect(topology Topology, opt *redis.UniversalOptions, network, key string, connections int) Conn {
	pooled := pooled(opt, connections)
	options := func() *redis.UniversalOptions {
		fresh := pooled
		fresh.Addrs = slices.Clone(opt.Addrs) // a cluster's client appends to it
		return &fresh
	}
	if topology == Cluster {
		return &clusterServer{key: key, pools: newPools(func() *redis.ClusterClient {
			cluster := options().Cluster()
			cluster.NewClient = newClusterNode
			return redis.NewClusterClient(cluster)
		})}
	}
	return &singleServer{newPools(func() *redis.Client {
		if topology == Sentinel {
			return redis.NewFailoverClient(options().Failover())
		}
		simple := options().Simple()
		simple.Network = network
		return redis.NewClient(simple)
	})}
}

// singleServer is one server, or a master that sentinels point to: its client
// follows a failover itself.
type singleServer struct{ *pools[*redis.Client] }

func (s *singleServer) Node(context.Context) (*redis.Client, error) { return s.current(), nil }

func (s *singleServer) Failed(_ context.Context, err error) {
	if Dead(err) {
		s.renew()
	}
}

// clusterServer is the node of a cluster that owns the slot of the data set.
type clusterServer struct {
	*pools[*redis.ClusterClient]
	key      string
	reloaded atomic.Int64 // when the state was last asked for anew, in ns
}

func (s *clusterServer) Node(ctx context.Context) (*redis.Client, error) {
	return s.current().MasterForKey(ctx, s.key)
}

// reloadCooldown coalesces the errors of one failover.
const reloadCooldown = 200 * time.Millisecond

// Failed asks the cluster for its state: by itself go-redis does not when the owner
// of a slot cannot be dialled any more, and stays with the dead node for a minute.
func (s *clusterServer) Failed(ctx context.Context, err error) {
	if errors.Is(err, context.Canceled) || Dead(err) && s.renew() {
		return
	}
	now := time.Now().UnixNano()
	last := s.reloaded.Load()
	if now-last > int64(reloadCooldown) && s.reloaded.CompareAndSwap(last, now) {
		s.current().ReloadState(ctx)
	}
}
