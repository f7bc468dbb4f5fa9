package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// longEnv, set to "long", runs what takes minutes.
const longEnv = "HOOKGATE_FAULTS"

func long() bool { return os.Getenv(longEnv) == "long" }

// init adds the other kinds of Redis to what the conformance tests run on.
func init() {
	if !long() {
		return
	}
	backEnds = append(backEnds,
		backEnd{name: "unix socket", shared: true, prepare: onSocket},
		backEnd{name: "TLS", shared: true, prepare: onTLS},
		backEnd{name: "ACL", shared: true, prepare: onACL},
		backEnd{name: "sentinel", shared: true, prepare: onSharedSentinel},
		backEnd{name: "cluster", shared: true, prepare: onSharedCluster},
	)
}

func onSocket(t *testing.T) Config {
	server := redistest.Start(t, redistest.WithSocket())
	return Config{Redis: redisconn.Server{URLs: []string{"unix://" + server.Socket()}}}
}

func onTLS(t *testing.T) Config {
	certificates := redistest.NewCertificates(t)
	server := redistest.Start(t, redistest.WithTLS(certificates))
	return Config{Redis: redisconn.Server{
		URLs: []string{server.URL()}, TLSCA: certificates.CA, TLSCert: certificates.ClientCert, TLSKey: certificates.ClientKey,
	}}
}

// documentedACL is the rule of that name that docs/operations.md tells to use.
func documentedACL(t testing.TB, name, password string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```" + name + "\n(.*?)```").FindStringSubmatch(string(text))
	if block == nil {
		t.Fatalf("docs/operations.md has no %s block", name)
	}
	rule := strings.Join(strings.Fields(block[1]), " ")
	if !strings.Contains(rule, ">PASSWORD") {
		t.Fatalf("the rule has no PASSWORD to replace: %s", rule)
	}
	return strings.Replace(rule, "PASSWORD", password, 1)
}

func onACL(t *testing.T) Config {
	const password = "of-the-least-privileged"
	file := filepath.Join(t.TempDir(), "users.acl")
	rules := "user default off\n" + documentedACL(t, "acl", password) + "\n"
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	server := redistest.Start(t, redistest.WithArgs("--aclfile", file))
	return Config{Redis: redisconn.Server{URLs: []string{server.URL()}, Username: "hookgate", Password: password}}
}

// Sentinel and Cluster take seconds and several processes to start, so tests share
// one of each, every test in a namespace of its own.
var (
	sharedServers suite
	sharedSpaces  atomic.Int64

	sharedSentinel = sync.OnceValue(func() redisconn.Server { return startSentinel(&sharedServers).config() })
	sharedCluster  = sync.OnceValue(func() *redistest.Nodes { return redistest.StartCluster(&sharedServers, "{hookgate}") })
)

func onSharedSentinel(t *testing.T) Config {
	return Config{Redis: sharedSentinel(), Namespace: fmt.Sprintf("hookgate.%d", sharedSpaces.Add(1))}
}

func onSharedCluster(t *testing.T) Config {
	return Config{
		Redis:     redisconn.Server{Topology: redisconn.Cluster, URLs: sharedCluster().URLs()},
		Namespace: fmt.Sprintf("hookgate.%d", sharedSpaces.Add(1)),
	}
}

// watched is a master with a replica, and a sentinel that watches them.
type watched struct{ master, replica, sentinel *redistest.Server }

func startSentinel(t testing.TB) watched {
	w := watched{master: redistest.Start(t)}
	w.replica = redistest.Start(t, redistest.ReplicaOf(w.master.Addr()))
	w.replica.AwaitReplica(t)
	w.sentinel = redistest.StartSentinel(t, w.master)
	// It asks the master for its replicas every ten seconds.
	w.sentinel.Await(t, "knows the replica", knowsReplica)
	return w
}

func (w watched) config() redisconn.Server {
	return redisconn.Server{Topology: redisconn.Sentinel, Master: redistest.SentinelMaster, URLs: []string{w.sentinel.URL()}}
}

// TestEveryKindOfRedis is the short form of the conformance suite on every kind of
// Redis: mint, rotate and revoke, seen by two sidecars and read back by a third; and events.
func TestEveryKindOfRedis(t *testing.T) {
	t.Parallel()
	for _, kind := range []backEnd{
		{name: "unix socket", prepare: onSocket},
		{name: "TLS", prepare: onTLS},
		{name: "ACL", prepare: onACL},
		{name: "sentinel", prepare: func(t *testing.T) Config { return Config{Redis: startSentinel(t).config()} }},
		{name: "cluster", prepare: func(t *testing.T) Config {
			return Config{Redis: redisconn.Server{Topology: redisconn.Cluster, URLs: redistest.StartCluster(t, "{hookgate}").URLs()}}
		}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			config := kind.prepare(t)
			a, b := open(t, config), open(t, config)
			c, first := mint(t, a, callbackSpec())
			fresh, second := rotate(t, b, c)
			_, kept := mint(t, a, webhookSpec())
			revoke(t, a, fresh)
			eventually(t, "both follow", func() bool {
				return standing(a, first) != keyring.Live && standing(b, second) != keyring.Live && standing(b, kept) == keyring.Live
			})
			a.MarkUsed(c.ID, c.CreatedAt)
			a.flushNow(t)
			third := open(t, config)
			wantStanding(t, third, first, keyring.Revoked) // as the ledger, which is still whole, tells
			wantStanding(t, third, second, keyring.Revoked)
			wantStanding(t, third, kept, keyring.Live)
			if got := get(t, third, c); got.LastUsedAt.IsZero() || got.RevokedAt.IsZero() {
				t.Errorf("%+v", got)
			}
			if got := ids(list(t, third, tenant, credential.KindCallback)); len(got) != 2 {
				t.Errorf("listed: %v", got)
			}
			for _, names := range [][]string{{"alone"}, {"id", "signature"}} {
				claim, mine, _, err := a.ClaimEvent(t.Context(), c.ID, names, time.Hour)
				_, running, _, err2 := b.ClaimEvent(t.Context(), c.ID, names, time.Hour)
				if err := errors.Join(err, err2); err != nil || mine != EventNew || running != EventRunning {
					t.Fatalf("%q: %d and %d, %v", names, mine, running, err)
				}
				err = claim.Done(t.Context(), 200)
				if _, done, _, err2 := b.ClaimEvent(t.Context(), c.ID, names, time.Hour); err != nil || err2 != nil || done != EventDone {
					t.Errorf("%q: %d, %v, %v", names, done, err, err2)
				}
			}
			for _, s := range []*Store{a, b, third} {
				awaitProof(t, s)
				if st := s.Stats(s.clock.Local()); !st.RedisUp {
					t.Errorf("%+v", st)
				}
			}
		})
	}
}

// The rule lets nobody do more than Hookgate does.
func TestACLIsLeastPrivilege(t *testing.T) {
	t.Parallel()
	s := open(t, onACL(t))
	rdb := node(t, s.opened.Load())
	ctx := t.Context()
	for what, err := range map[string]error{
		"another prefix": rdb.HSet(ctx, "other", "a", "b").Err(),
		"reading others": rdb.HGetAll(ctx, "other").Err(),
		"FLUSHALL":       rdb.FlushAll(ctx).Err(),
		"KEYS":           rdb.Keys(ctx, "*").Err(),
		"CONFIG SET":     rdb.ConfigSet(ctx, "save", "").Err(),
		"ACL LIST":       rdb.ACLList(ctx).Err(),
		"SHUTDOWN":       rdb.Shutdown(ctx).Err(),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("%s: %v", what, err)
		}
	}
	// What the commands of an operator need is in it, too.
	file := filepath.Join(t.TempDir(), "dump")
	c, token := mint(t, s, callbackSpec())
	if n, err := s.Dump(ctx, file); n != 1 || err != nil {
		t.Errorf("Dump: %d, %v", n, err)
	}
	for _, f := range s.Check(ctx) {
		if f.Check == "info" {
			t.Errorf("%+v", f)
		}
	}
	empty := open(t, onACL(t))
	if n, err := empty.Restore(ctx, file); n != 1 || err != nil {
		t.Errorf("Restore: %d, %v", n, err)
	}
	eventually(t, "the restored token is live", func() bool { return standing(empty, token) == keyring.Live })
	get(t, empty, c)
}

// The rule for sentinels is enough to find the master, and to follow it to another.
func TestSentinelUser(t *testing.T) {
	t.Parallel()
	const password = "of-the-sentinels"
	w := startSentinel(t)
	rdb := w.sentinel.Client()
	rule := strings.Fields(documentedACL(t, "acl-sentinel", password))[1:] // without the word user
	args := []any{"ACL", "SETUSER"}
	for _, word := range rule {
		args = append(args, word)
	}
	if err := rdb.Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
	// The test's own way in stays as it is; a sidecar without a user gets none.
	if err := rdb.Do(t.Context(), "ACL", "SETUSER", "default", "-sentinel|get-master-addr-by-name").Err(); err != nil {
		t.Fatal(err)
	}
	stranger := newStore(t, Config{Redis: w.config()})
	if err := stranger.Start(Tuning{Logger: testLog(t)}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := stranger.Mint(t.Context(), callbackSpec()); err == nil {
		t.Error("minted without a user")
	}
	config := w.config()
	config.SentinelUsername, config.SentinelPassword = "hookgate", password
	s := open(t, Config{Redis: config})
	_, token := mint(t, s, callbackSpec())
	w.replica.AwaitCaughtUp(t, w.master)
	// On a busy machine the sentinel may not have heard of the replica lately.
	eventually(t, "the sentinel fails over", func() bool {
		return rdb.Do(t.Context(), "SENTINEL", "FAILOVER", redistest.SentinelMaster).Err() == nil
	})
	w.replica.Await(t, "is the master", func(rdb *redis.Client) bool {
		return strings.Contains(rdb.Info(t.Context(), "replication").Val(), "role:master")
	})
	w.master.Kill()
	awaitProof(t, s)
	wantStanding(t, s, token, keyring.Live)
	eventually(t, "changes are taken", func() bool { _, _, err := s.Mint(t.Context(), callbackSpec()); return err == nil })
}

// The password is read for every connection: after a rotation at the server and in the
// file, connections that broke come back with the new one.
func TestPasswordIsReadAgain(t *testing.T) {
	t.Parallel()
	const before, after = "before-the-rotation", "after-the-rotation"
	server := redistest.Start(t, redistest.WithPassword(before))
	file := filepath.Join(t.TempDir(), "password")
	write := func(password string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(before)
	s := open(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}, PasswordFile: file}})
	c, token := mint(t, s, callbackSpec())
	rdb := server.Client()
	ctx := t.Context()
	if err := rdb.ConfigSet(ctx, "requirepass", after).Err(); err != nil {
		t.Fatal(err)
	}
	awaitProof(t, s) // connections that are in stay in
	if err := rdb.Do(ctx, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
		t.Fatal(err)
	}
	awaitDown(t, s)
	wantAging(t, s)
	wantStanding(t, s, token, keyring.Live)
	write(after)
	awaitProof(t, s)
	revoke(t, s, c)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := rdb.Do(ctx, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
		t.Fatal(err)
	}
	awaitDown(t, s)
	_, err := s.Get(ctx, Ref{Tenant: tenant, Kind: credential.KindCallback, ID: uuid.New()})
	if err == nil {
		t.Fatal("read without a password")
	}
	wantNoSecrets(t, err.Error(), before, after)
	write(after)
	awaitProof(t, s)
}

func TestTLSIsVerified(t *testing.T) {
	t.Parallel()
	good := onTLS(t)
	stranger := redistest.NewCertificates(t)
	for name, spoil := range map[string]func(*redisconn.Server){
		"another authority":      func(s *redisconn.Server) { s.TLSCA = stranger.CA },
		"system's authorities":   func(s *redisconn.Server) { s.TLSCA = "" },
		"no client certificate":  func(s *redisconn.Server) { s.TLSCert, s.TLSKey = "", "" },
		"a stranger's":           func(s *redisconn.Server) { s.TLSCert, s.TLSKey = stranger.ClientCert, stranger.ClientKey },
		"another name of server": func(s *redisconn.Server) { s.URLs = []string{strings.Replace(s.URLs[0], "127.0.0.1", "localhost", 1)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := good
			spoil(&config.Redis)
			s := newStore(t, config)
			if err := s.Start(Tuning{Logger: testLog(t)}); err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.Mint(t.Context(), callbackSpec()); err == nil {
				t.Error("minted")
			}
			if s.Stats(s.clock.Local()).Loaded {
				t.Error("loaded")
			}
		})
	}
}
