package store

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/credential/credentialtest"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// calls returns how often a server has run a command.
func calls(t testing.TB, server *redistest.Server, command string) int {
	t.Helper()
	for line := range strings.Lines(server.Client().Info(t.Context(), "commandstats").Val()) {
		if rest, ok := strings.CutPrefix(line, "cmdstat_"+command+":calls="); ok {
			number, _, _ := strings.Cut(rest, ",")
			n, err := strconv.Atoi(number)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

// A snapshot that loses a round trip goes on with the next one, however large it is.
func TestSnapshotKeepsWhatItHasRead(t *testing.T) {
	t.Parallel()
	const credentials = 20_000
	for name, fail := range map[string]func(*redistest.Proxy){
		"cut":     func(p *redistest.Proxy) { p.CutAfter(1 << 20) },
		"stalled": func(p *redistest.Proxy) { p.StallAfter(1 << 20) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			fillBuckets(t, server.Client(), credentials)
			proxy := redistest.NewProxy(t, server)
			fail(proxy)
			s := newStore(t, Config{Redis: redisconn.Server{URLs: []string{proxy.URL()}}})
			if err := s.Start(Tuning{Logger: testLog(t)}); err != nil {
				t.Fatal(err)
			}
			eventually(t, "a round trip is lost", func() bool { return s.Stats(time.Now()).SnapshotRetries > 0 })
			proxy.Restore()
			awaitLoaded(t, s)
			if got := s.keyring.Size(); got != credentials {
				t.Errorf("%d credentials", got)
			}
			retries := int(s.Stats(time.Now()).SnapshotRetries)
			if got := calls(t, server, "hgetall"); got > bucketCount+snapshotBatch*retries {
				t.Errorf("%d buckets read, with %d round trips lost", got, retries)
			}
			wantStandingOf(t, s, credentialtest.Digest(0), keyring.Live)
			wantStandingOf(t, s, credentialtest.Digest(credentials-1), keyring.Live)
		})
	}
}

func wantStandingOf(t testing.TB, s *Store, d credential.Digest, want keyring.Standing) {
	t.Helper()
	if _, got := s.keyring.Lookup(d); got != want {
		t.Errorf("standing %v, want %v", got, want)
	}
}

// The buckets need not be read where the ledger tells of everything. Where it only seems
// to, they are.
func TestBootFromTheLedger(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil   func(t *testing.T, s *Store, rdb *redis.Client)
		buckets int
		minted  int // besides
	}{
		"whole": {},
		"its beginning is trimmed": {buckets: bucketCount, spoil: func(t *testing.T, s *Store, rdb *redis.Client) {
			rdb.XTrimMaxLen(t.Context(), s.keys.ledger(), 2)
		}},
		"deleted": {buckets: bucketCount, spoil: func(t *testing.T, s *Store, rdb *redis.Client) { rdb.Del(t.Context(), s.keys.ledger()) }},
		"of another data set, and ours behind it": {buckets: bucketCount, spoil: func(t *testing.T, s *Store, rdb *redis.Client) {
			destruct(t, s)
			rdb.Del(t.Context(), s.keys.meta())
			again := newStore(t, s.config)
			if err := again.Start(Tuning{Offline: true}); err != nil {
				t.Fatal(err)
			}
			mint(t, again, callbackSpec())
		}, minted: 1},
		"begun by a restore": {buckets: bucketCount, minted: 1, spoil: func(t *testing.T, s *Store, rdb *redis.Client) {
			mint(t, restoreAnew(t, s, rdb), callbackSpec())
		}},
		"begun by a mint after a restore that broke off": {buckets: bucketCount, minted: 1, spoil: func(t *testing.T, s *Store, rdb *redis.Client) {
			restored := restoreAnew(t, s, rdb)
			rdb.HDel(t.Context(), s.keys.meta(), "epoch", "declared", "seq", "schema") // what comes last
			mint(t, restored, callbackSpec())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			s := openOn(t, server)
			a := openAccount(t, s)
			live := s.keyring.Size()
			eventually(t, "its own keyring has followed", func() bool { return s.Stats(time.Now()).Resyncs[ResyncEpoch] == 1 })
			if c.spoil != nil {
				c.spoil(t, s, server.Client())
			}
			before := calls(t, server, "hgetall")
			fresh := openOn(t, server)
			if got := calls(t, server, "hgetall") - before; got != c.buckets {
				t.Errorf("%d buckets read, want %d", got, c.buckets)
			}
			if got := fresh.keyring.Size(); got != live+c.minted {
				t.Errorf("%d credentials, want %d", got, live+c.minted)
			}
			wantStanding(t, fresh, a.liveToken, keyring.Live)
			wantStanding(t, fresh, a.freshToken, keyring.Live)
			if standing(fresh, a.revokedToken) == keyring.Live {
				t.Error("the revoked token is live")
			}
		})
	}
}

// restoreAnew empties the server and restores what was there.
func restoreAnew(t *testing.T, s *Store, rdb *redis.Client) *Store {
	t.Helper()
	file := filepath.Join(t.TempDir(), "dump")
	if _, err := s.Dump(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	destruct(t, s)
	rdb.FlushAll(t.Context())
	again := newStore(t, s.config)
	if err := again.Start(Tuning{Offline: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Restore(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	return again
}

// A failover in the middle of a snapshot: part of it was read from a master whose newest
// change the new one does not have. Nobody could revoke that credential.
func TestSnapshotAheadOfTheLedgerIsNotTaken(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	writer := openOn(t, server)
	mint(t, writer, callbackSpec())
	lost := keyring.DigestOp{Digest: credentialtest.Digest(7), ID: credentialtest.ID(7), Key: keyring.Key{
		ID: credentialtest.ID(7), Identity: &keyring.Identity{Tenant: tenant, Kind: credential.KindCallback},
	}}
	s := newStore(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}})
	if err := s.Start(Tuning{Offline: true, Logger: testLog(t)}); err != nil {
		t.Fatal(err)
	}
	f, b := s.follower, s.opened.Load()
	f.brokenLedger = writer.keyring.KnownEpoch() // so that it reads the buckets
	rdb, err := b.tail.Node(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := f.begin(t.Context(), b, rdb, false)
	if err != nil {
		t.Fatal(err)
	}
	bucket := s.keys.bucketOf(lost.Digest)
	rdb.HSet(t.Context(), bucket, string(lost.Digest[:]), keyring.BucketValue(2, lost))
	if err := f.fill(t.Context(), b, rdb, snapshot); err != nil {
		t.Fatal(err)
	}
	rdb.HDel(t.Context(), bucket, string(lost.Digest[:]))
	_, other := mint(t, writer, callbackSpec()) // the new master's second change
	if err := f.finish(t.Context(), b, rdb, snapshot, ResyncBoot); err != nil {
		t.Fatal(err)
	}
	wantStandingOf(t, s, lost.Digest, keyring.Unknown)
	wantStanding(t, s, other, keyring.Live)
}

// An epoch declared over the same credentials needs no snapshot, and what was revoked in
// it stays so.
func TestNewEpochOverTheSameHistory(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s, other := openOn(t, server), openOn(t, server)
	a := openAccount(t, s)
	awaitProof(t, other)
	loads := other.Stats(time.Now()).Resyncs
	before := calls(t, server, "hgetall")
	epoch, err := s.NewEpoch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Store{s, other} {
		eventually(t, "it is in the new epoch", func() bool { return s.keyring.KnownEpoch() == epoch })
		awaitProof(t, s)
		wantStanding(t, s, a.liveToken, keyring.Live)
		if standing(s, a.revokedToken) == keyring.Live {
			t.Error("the revoked token is live")
		}
	}
	if got := calls(t, server, "hgetall"); got != before {
		t.Errorf("%d buckets were read", got-before)
	}
	if got := other.Stats(time.Now()).Resyncs; got[ResyncEpoch] != loads[ResyncEpoch] {
		t.Errorf("%v resyncs, were %v", got, loads)
	}
	_, token := mint(t, other, callbackSpec())
	eventually(t, "the ledger is followed on", func() bool { return standing(s, token) == keyring.Live })
}
