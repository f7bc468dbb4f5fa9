package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redistest"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// scene is one Redis, a sidecar whose way to it can be tampered with, and what its
// administrator does.
type scene struct {
	t      *testing.T
	server *redistest.Server
	proxy  *redistest.Proxy
	rdb    *redis.Client // past the proxy
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) set(setting, value string) {
	s.t.Helper()
	s.must(s.rdb.ConfigSet(s.t.Context(), setting, value).Err())
}

// dropClients closes the connections of all clients but the administrator's.
func (s *scene) dropClients() {
	s.t.Helper()
	s.must(s.rdb.Do(s.t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err())
}

const password = "the-password-of-the-scene"

// outages are ways in which Redis stops to serve a sidecar while its data stays.
var outages = []struct {
	name       string
	begin, end func(*scene)
	reads      bool // records can still be read
	short      bool // runs in the short form, too
}{
	{name: "killed", short: true,
		begin: func(s *scene) { s.server.Kill() }, end: func(s *scene) { s.server.Restart() }},
	{name: "hangs", short: true,
		begin: func(s *scene) { s.server.Suspend() }, end: func(s *scene) { s.server.Resume() }},
	{name: "connection cut",
		begin: func(s *scene) { s.proxy.Cut() }, end: func(s *scene) { s.proxy.Restore() }},
	{name: "black hole", short: true,
		begin: func(s *scene) { s.proxy.BlackHole() }, end: func(s *scene) { s.proxy.Restore() }},
	{name: "network stalls",
		begin: func(s *scene) { s.proxy.Stall() }, end: func(s *scene) { s.proxy.Restore() }},
	{name: "READONLY: demoted", reads: true, short: true,
		begin: func(s *scene) { s.must(s.rdb.ReplicaOf(s.t.Context(), "127.0.0.1", "1").Err()) },
		end:   func(s *scene) { s.must(s.rdb.ReplicaOf(s.t.Context(), "NO", "ONE").Err()) }},
	{name: "NOREPLICAS: isolated", reads: true,
		begin: func(s *scene) { s.set("min-replicas-to-write", "1") },
		end:   func(s *scene) { s.set("min-replicas-to-write", "0") }},
	{name: "LOADING", short: true,
		begin: (*scene).loadSlowly, end: func(s *scene) { s.server.Restart() }},
	{name: "MISCONF: cannot save", reads: true,
		begin: func(s *scene) {
			s.set("save", "3600 1000000")
			s.must(os.Mkdir(filepath.Join(s.server.Dir(), "dump.rdb"), 0o700)) // in its place
			s.must(s.rdb.BgSave(s.t.Context()).Err())
		},
		end: func(s *scene) { s.set("stop-writes-on-bgsave-error", "no") }},
	{name: "WRONGPASS: password changed",
		begin: func(s *scene) {
			s.set("requirepass", "another")
			s.dropClients()
		},
		end: func(s *scene) { s.set("requirepass", password) }},
	{name: "NOPERM: rights taken away",
		begin: func(s *scene) {
			s.must(s.rdb.Do(s.t.Context(), "ACL", "SETUSER", "hookgate", "-@write").Err())
		},
		reads: true,
		end: func(s *scene) {
			s.must(s.rdb.Do(s.t.Context(), "ACL", "SETUSER", "hookgate", "+@all").Err())
		}},
	{name: "maxclients", short: true,
		begin: func(s *scene) {
			s.set("maxclients", "1") // the administrator
			s.dropClients()
		},
		end: func(s *scene) { s.set("maxclients", "1000") }},
	{name: "WRONGTYPE: ledger is no stream", reads: true,
		begin: func(s *scene) {
			s.must(s.rdb.Rename(s.t.Context(), "{hookgate}:log", "kept").Err())
			s.must(s.rdb.Set(s.t.Context(), "{hookgate}:log", "x", 0).Err())
		},
		end: func(s *scene) { s.must(s.rdb.Rename(s.t.Context(), "kept", "{hookgate}:log").Err()) }},
	{name: "WRONGTYPE: meta is no hash", reads: true,
		begin: func(s *scene) {
			s.must(s.rdb.Rename(s.t.Context(), "{hookgate}:m", "kept").Err())
			s.must(s.rdb.Set(s.t.Context(), "{hookgate}:m", "x", 0).Err())
		},
		end: func(s *scene) { s.must(s.rdb.Rename(s.t.Context(), "kept", "{hookgate}:m").Err()) }},
}

// TestOutage: whatever ails Redis, a sidecar decides from memory, says 503 to what it
// cannot know after two seconds and to everything after max_staleness, tells operators
// that nothing was done, and comes back by itself.
func TestOutage(t *testing.T) {
	t.Parallel()
	for _, outage := range outages {
		if !outage.short && !long() {
			continue
		}
		t.Run(outage.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, redistest.WithAOF(), redistest.WithPassword(password))
			s := &scene{t: t, server: server, proxy: redistest.NewProxy(t, server), rdb: server.Client()}
			s.must(s.rdb.Do(t.Context(), "ACL", "SETUSER", "hookgate", "on", ">"+password, "~*", "&*", "+@all").Err())
			where := at(s.proxy)
			where.Password = password
			if strings.HasPrefix(outage.name, "NOPERM") {
				where.Username = "hookgate"
			}
			const maxStaleness = 4 * time.Second
			a := open(t, where, bound(maxStaleness))
			all := a.fill()
			_, unused := a.mint()
			a.awaitProof()

			outage.begin(s)
			fault := time.Now()
			a.awaitDown()
			// Decided from memory, as long as the last proof is not too old. The moments are
			// chosen, not waited for: the keyring tells its age at any.
			proved := a.proved()
			// A ledger that is no stream is noticed by the next read of it: one more look at
			// the head of the data set, which has not changed, may come before.
			if after := proved.Sub(fault); after > time.Second {
				t.Fatalf("proved %v after the fault began", after)
			}
			for _, moment := range []struct {
				after                  time.Duration
				live, revoked, unheard guard.Outcome
			}{
				{unknownAge - 50*time.Millisecond, guard.Allowed, guard.Revoked, guard.Unknown},
				{unknownAge + 50*time.Millisecond, guard.Allowed, guard.Revoked, guard.Stale},
				{maxStaleness - 50*time.Millisecond, guard.Allowed, guard.Revoked, guard.Stale},
				{maxStaleness + 50*time.Millisecond, guard.Stale, guard.Stale, guard.Stale},
			} {
				now := proved.Add(moment.after)
				for _, decision := range []struct {
					token string
					want  guard.Outcome
				}{{all.live, moment.live}, {unused, moment.live}, {all.revoked, moment.revoked}, {unheard, moment.unheard}} {
					if got := a.decideAt(decision.token, now); got != decision.want {
						t.Errorf("%v after the last proof: %s, want %s", moment.after, got, decision.want)
					}
				}
			}
			a.wantUnavailable()
			if _, err := listed(t.Context(), a.Store); (err == nil) != outage.reads {
				t.Errorf("List: %v, want an error: %t", err, !outage.reads)
			}
			// And in the end by the clock on the wall.
			a.sees("the live token", all.live, guard.Stale)
			a.want("an unheard token", unheard, guard.Stale)
			if age := a.stats().Age; age <= maxStaleness {
				t.Errorf("stale at an age of %v", age)
			}

			outage.end(s)
			a.sees("the live token", all.live, guard.Allowed)
			a.awaitProof()
			a.want("the revoked token", all.revoked, guard.Revoked)
			a.want("an unheard token", unheard, guard.Unknown)
			hookgatetest.Eventually(t, "changes are taken", func() bool { _, _, err := a.tryMint(); return err == nil })
			a.revoke(all.credential)
			a.want("the token revoked after it", all.live, guard.Revoked)
			for reason, n := range a.stats().Resyncs {
				if n > 0 && reason != store.ResyncBoot && reason != store.ResyncEpoch {
					t.Errorf("%d resyncs for %s, although nothing was missed", n, reason)
				}
			}
		})
	}
}

// loadSlowly restarts Redis with a delay for every key, which it has for such tests: it
// answers LOADING for longer than anybody waits.
func (s *scene) loadSlowly() {
	s.t.Helper()
	ctx := s.t.Context()
	const filler = 400
	for i := range filler {
		s.must(s.rdb.Set(ctx, fmt.Sprintf("filler:%d", i), strings.Repeat("x", 2000), 0).Err())
	}
	// The delay is that of the snapshot, which the append-only file begins with.
	s.must(s.rdb.BgRewriteAOF(ctx).Err())
	s.server.Await(s.t, "has rewritten its file", func(rdb *redis.Client) bool {
		info := rdb.Info(ctx, "persistence").Val()
		return strings.Contains(info, "aof_rewrite_in_progress:0") && strings.Contains(info, "aof_last_bgrewrite_status:ok") &&
			strings.Contains(info, "aof_rewrites:1")
	})
	s.server.RestartLoading("--key-load-delay", "100000", "--loading-process-events-interval-bytes", "1024")
}
