package store

import (
	"context"
	"net"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// withReplica is a master with a replica, and how both are found.
type withReplica struct {
	master, replica *redistest.Server
	config          redisconn.Server
}

func startWithReplica(t *testing.T, topology redisconn.Topology) withReplica {
	t.Helper()
	if topology == redisconn.Cluster {
		cluster := redistest.StartCluster(t, "{hookgate}")
		for _, node := range cluster.Masters { // they learn of it before they learn that it has the data
			node.Await(t, "tells of the replica", func(rdb *redis.Client) bool {
				ranges, err := rdb.Do(t.Context(), "CLUSTER", "SLOTS").Slice()
				return err == nil && slices.ContainsFunc(ranges, func(slots any) bool { return len(slots.([]any)) == 4 }) // first, last, master, replica
			})
		}
		return withReplica{cluster.Owner, cluster.Replica, redisconn.Server{Topology: topology, URLs: cluster.URLs()}}
	}
	w := startSentinel(t)
	w.sentinel.Await(t, "knows that the replica is connected", func(rdb *redis.Client) bool {
		return replicaIsConnected(t, rdb)
	})
	return withReplica{w.master, w.replica, w.config()}
}

func replicaIsConnected(t *testing.T, sentinel *redis.Client) bool {
	t.Helper()
	asked := redis.NewSentinelClient(sentinel.Options())
	defer asked.Close()
	replicas, err := asked.Replicas(t.Context(), redistest.SentinelMaster).Result()
	return err == nil && len(replicas) == 1 && replicas[0]["master-link-status"] == "ok"
}

// openFromReplicas opens another store on the data set, which reads the buckets.
func (r withReplica) openFromReplicas(t *testing.T, like *Store) *Store {
	t.Helper()
	config := like.config
	config.Redis.SnapshotFrom = redisconn.FromReplicas
	other := newStore(t, config)
	other.follower.brokenLedger = like.keyring.KnownEpoch()
	if err := other.Start(Tuning{Logger: testLog(t)}); err != nil {
		t.Fatal(err)
	}
	awaitLoaded(t, other)
	return other
}

// A snapshot is read from a replica where that is configured, and a copy of it, too; from
// the master where no replica is there.
func TestSnapshotFromReplicas(t *testing.T) {
	t.Parallel()
	for name, topology := range map[string]redisconn.Topology{"sentinel": redisconn.Sentinel, "cluster": redisconn.Cluster} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startWithReplica(t, topology)
			s := open(t, Config{Redis: r.config})
			a := openAccount(t, s)
			r.replica.AwaitCaughtUp(t, r.master) // one without the data set yet is not read
			check := func(other *Store) {
				t.Helper()
				wantStanding(t, other, a.liveToken, keyring.Live)
				wantStanding(t, other, a.freshToken, keyring.Live)
				if standing(other, a.revokedToken) == keyring.Live || standing(other, a.old) == keyring.Live {
					t.Error("a revoked token is live")
				}
				_, token := mint(t, s, callbackSpec())
				eventually(t, "the ledger is followed on", func() bool { return standing(other, token) == keyring.Live })
			}
			onMaster, onReplica := calls(t, r.master, "hgetall"), calls(t, r.replica, "hgetall")
			check(r.openFromReplicas(t, s))
			if got := calls(t, r.master, "hgetall") - onMaster; got != 0 {
				t.Errorf("%d buckets read from the master", got)
			}
			if got := calls(t, r.replica, "hgetall") - onReplica; got != bucketCount {
				t.Errorf("%d buckets read from the replica", got)
			}

			pretendSidecars(t, r.master.Client(), s.keys, herdSize)
			r.openFromReplicas(t, s)
			eventually(t, "the replica has the copy", func() bool { return replicaHas(t, r, topology, s.keys.copy(), "at") })
			onReplica = calls(t, r.replica, "hget")
			check(r.openFromReplicas(t, s))
			if calls(t, r.replica, "hget") == onReplica {
				t.Error("the copy was not read from the replica")
			}
			if got := calls(t, r.master, "hgetall") - onMaster; got != 0 {
				t.Errorf("%d buckets read from the master", got)
			}

			r.master.Client().Del(t.Context(), s.keys.copy())
			r.replica.Kill()
			check(r.openFromReplicas(t, s))
			if got := calls(t, r.master, "hgetall") - onMaster; got != bucketCount {
				t.Errorf("%d buckets read from the master without a replica", got)
			}
		})
	}
}

func replicaHas(t *testing.T, r withReplica, topology redisconn.Topology, key, field string) bool {
	t.Helper()
	conn := r.replica.Client().Conn()
	defer conn.Close()
	if topology == redisconn.Cluster {
		conn.ReadOnly(t.Context())
	}
	return conn.HExists(t.Context(), key, field).Val()
}

// afterPosition runs once, when the position has been read and no bucket yet.
type afterPosition struct {
	run  func()
	done *atomic.Bool
}

func (afterPosition) DialHook(next redis.DialHook) redis.DialHook { return next }

func (afterPosition) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h afterPosition) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if cmd.Name() == "xrevrange" && !h.done.Swap(true) {
			h.run()
		}
		return err
	}
}

// The connection that a snapshot is read by is lost without a command in vain: the next
// one may lead to another replica.
func TestReplicaIsNotDialledAgain(t *testing.T) {
	t.Parallel()
	r := startWithReplica(t, redisconn.Sentinel)
	writer := open(t, Config{Redis: r.config})
	_, token := mint(t, writer, callbackSpec())
	r.replica.AwaitCaughtUp(t, r.master)
	config := writer.config
	config.Redis.SnapshotFrom = redisconn.FromReplicas
	s := offline(t, config, 0)
	s.follower.brokenLedger = writer.keyring.KnownEpoch()
	b := *s.opened.Load()
	var killed atomic.Bool
	openReplica := b.openReplica
	b.openReplica = func(ctx context.Context) (*redis.Client, error) {
		client, err := openReplica(ctx)
		if err == nil {
			client.AddHook(afterPosition{done: &killed, run: func() {
				r.replica.Client().Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
			}})
		}
		return client, err
	}
	onMaster, onReplica := calls(t, r.master, "hgetall"), calls(t, r.replica, "hgetall")
	if err := s.follower.resync(t.Context(), &b, ResyncBoot); err != nil {
		t.Fatal(err)
	}
	if !killed.Load() || calls(t, r.replica, "hgetall") != onReplica {
		t.Error("the replica was read by another connection")
	}
	if got := calls(t, r.master, "hgetall") - onMaster; got != bucketCount {
		t.Errorf("%d buckets read from the master", got)
	}
	wantStanding(t, s, token, keyring.Live)
}

// Whatever a replica holds, the keyring is that of the master: what is revoked there is
// not live, what is live there is, and what is not there is unknown.
func TestReplicaThatDiffers(t *testing.T) {
	t.Parallel()
	type servers struct {
		master, replica, behind *redistest.Server // behind: a replica that misses the revocation
		link                    *redistest.Proxy  // of the replica
		s                       *Store
		live                    Ref
		revoke                  func() // on the master
		foreign                 string // a token of another history
	}
	// fork gives the replica a history of its own: nothing of it is on the master.
	fork := func(t *testing.T, v *servers) {
		v.replica.Promote()
		other := openOn(t, v.replica)
		if err := other.Revoke(t.Context(), v.live); err != nil {
			t.Fatal(err)
		}
		_, v.foreign = mint(t, other, callbackSpec())
	}
	for name, c := range map[string]struct {
		atFirst, meanwhile func(t *testing.T, v *servers)
		fromMaster         bool
	}{
		"equal": {atFirst: func(t *testing.T, v *servers) { v.revoke(); v.replica.AwaitCaughtUp(t, v.master) }},
		"behind": {atFirst: func(t *testing.T, v *servers) {
			v.link.Stall()
			v.revoke()
			mint(t, v.s, callbackSpec())
		}},
		"falls behind":      {meanwhile: func(t *testing.T, v *servers) { v.link.Stall(); v.revoke() }},
		"forked":            {atFirst: fork, fromMaster: true},
		"forks":             {meanwhile: func(t *testing.T, v *servers) { fork(t, v); v.revoke(); mint(t, v.s, callbackSpec()) }, fromMaster: true},
		"forks, is ahead":   {meanwhile: fork, fromMaster: true},
		"of another epoch":  {atFirst: func(t *testing.T, v *servers) { v.replica.Promote(); declare(t, v.replica) }, fromMaster: true},
		"becomes another's": {meanwhile: func(t *testing.T, v *servers) { v.replica.Promote(); declare(t, v.replica) }, fromMaster: true},
		"is emptied":        {meanwhile: func(t *testing.T, v *servers) { v.replica.Promote(); v.replica.Client().FlushAll(t.Context()) }, fromMaster: true},
		"falls back": {
			atFirst: func(t *testing.T, v *servers) { v.revoke(); v.replica.AwaitCaughtUp(t, v.master) },
			meanwhile: func(t *testing.T, v *servers) {
				v.behind.Promote()
				if err := v.replica.Client().ReplicaOf(t.Context(), "127.0.0.1", portOf(v.behind)).Err(); err != nil {
					t.Fatal(err)
				}
				v.replica.AwaitReplica(t)
			},
			fromMaster: true,
		},
		"hangs": {meanwhile: func(t *testing.T, v *servers) { v.replica.Suspend(); v.revoke() }, fromMaster: true},
		"ends":  {meanwhile: func(t *testing.T, v *servers) { v.replica.Kill(); v.revoke() }, fromMaster: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := &servers{master: redistest.Start(t)}
			v.link = redistest.NewProxy(t, v.master)
			v.replica = redistest.Start(t, redistest.ReplicaOf(v.link.Addr()))
			v.s = openOn(t, v.master)
			kept, keptToken := mint(t, v.s, callbackSpec())
			v.live = ref(kept)
			victim, victimToken := mint(t, v.s, callbackSpec())
			v.replica.AwaitCaughtUp(t, v.master)
			if name == "falls back" {
				link := redistest.NewProxy(t, v.master)
				v.behind = redistest.Start(t, redistest.ReplicaOf(link.Addr()))
				v.behind.AwaitReplica(t)
				v.behind.Await(t, "has the credentials", func(rdb *redis.Client) bool {
					return rdb.HGet(t.Context(), v.s.keys.meta(), "seq").Val() == "2"
				})
				link.Stall()
			}
			revoked := false
			v.revoke = func() { revoke(t, v.s, victim); revoked = true }
			if c.atFirst != nil {
				c.atFirst(t, v)
			}

			s := offline(t, v.s.config, 0)
			s.follower.brokenLedger = v.s.keyring.KnownEpoch()
			b := *s.opened.Load()
			var changed atomic.Bool
			b.openReplica = func(context.Context) (*redis.Client, error) {
				opt := &redis.UniversalOptions{Addrs: []string{v.replica.Addr()}, Protocol: 2, MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}}
				redisconn.Harden(opt)
				client := redis.NewClient(opt.Simple())
				if c.meanwhile != nil {
					client.AddHook(afterPosition{done: &changed, run: func() { c.meanwhile(t, v) }})
				}
				return client, nil
			}
			onMaster := calls(t, v.master, "hgetall")
			if err := s.follower.resync(t.Context(), &b, ResyncBoot); err != nil {
				t.Fatal(err)
			}
			if c.meanwhile != nil && !changed.Load() {
				t.Fatal("the replica was not read")
			}
			// A revocation reads the record, with the same command.
			fromMaster := calls(t, v.master, "hgetall")-onMaster >= bucketCount
			if fromMaster != c.fromMaster {
				t.Errorf("read from the master: %v", fromMaster)
			}
			wantStanding(t, s, keptToken, keyring.Live)
			if got := standing(s, victimToken) == keyring.Live; got == revoked {
				t.Errorf("the credential is live: %v, revoked: %v", got, revoked)
			}
			if v.foreign != "" {
				wantStanding(t, s, v.foreign, keyring.Unknown)
			}
			if got := s.keyring.Size(); got != v.s.keyring.Size() {
				t.Errorf("%d credentials, the master has %d", got, v.s.keyring.Size())
			}
		})
	}
}

func portOf(server *redistest.Server) string {
	_, port, _ := net.SplitHostPort(server.Addr())
	return port
}

// declare gives a server's data set another epoch.
func declare(t *testing.T, server *redistest.Server) {
	t.Helper()
	if _, err := offline(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}}, 0).NewEpoch(t.Context()); err != nil {
		t.Fatal(err)
	}
}
