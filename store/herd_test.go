package store

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redistest"
)

// pretendSidecars makes a data set look as if so many followed it.
func pretendSidecars(t *testing.T, rdb *redis.Client, keys keyspace, n int) {
	t.Helper()
	for i := range n {
		if err := rdb.ZAdd(t.Context(), keys.sidecars(), redis.Z{Score: float64(time.Now().UnixMilli()), Member: fmt.Sprint("pretended-", i)}).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// openFromBuckets opens a store that takes the ledger for broken, as it is where it does
// not tell of everything.
func openFromBuckets(t *testing.T, server *redistest.Server, like *Store) *Store {
	t.Helper()
	s := newStore(t, like.config)
	s.follower.brokenLedger = like.keyring.KnownEpoch()
	if err := s.Start(Tuning{UsageFlush: time.Hour, Logger: testLog(t)}); err != nil {
		t.Fatal(err)
	}
	awaitLoaded(t, s)
	return s
}

// Of many sidecars one reads the buckets, and the others what it leaves. That is of the
// past, and maybe of another history: only what the ledger leads on from counts.
func TestOneSidecarReadsForAll(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil   func(t *testing.T, rdb *redis.Client, keys keyspace)
		buckets int
	}{
		"as it was left": {},
		"a chunk is changed": {buckets: bucketCount, spoil: func(t *testing.T, rdb *redis.Client, keys keyspace) {
			id := rdb.HGet(t.Context(), keys.copy(), "id").Val()
			chunk := rdb.HGet(t.Context(), keys.copy(), chunkField(id, 0)).Val()
			rdb.HSet(t.Context(), keys.copy(), chunkField(id, 0), chunk[:len(chunk)-1]+"\x01")
		}},
		"a chunk is cut": {buckets: bucketCount, spoil: func(t *testing.T, rdb *redis.Client, keys keyspace) {
			id := rdb.HGet(t.Context(), keys.copy(), "id").Val()
			chunk := rdb.HGet(t.Context(), keys.copy(), chunkField(id, 0)).Val()
			rdb.HSet(t.Context(), keys.copy(), chunkField(id, 0), chunk[:len(chunk)/2])
		}},
		"a chunk is gone": {buckets: bucketCount, spoil: func(t *testing.T, rdb *redis.Client, keys keyspace) {
			rdb.HDel(t.Context(), keys.copy(), chunkField(rdb.HGet(t.Context(), keys.copy(), "id").Val(), 0))
		}},
		"it is of another history": {buckets: bucketCount, spoil: func(t *testing.T, rdb *redis.Client, keys keyspace) {
			rdb.HSet(t.Context(), keys.copy(), "head", "of a change that a failover lost")
		}},
		"it is of another epoch": {buckets: bucketCount, spoil: func(t *testing.T, rdb *redis.Client, keys keyspace) {
			rdb.HSet(t.Context(), keys.copy(), "epoch", "another")
		}},
		"it is ahead": {buckets: bucketCount, spoil: func(t *testing.T, rdb *redis.Client, keys keyspace) {
			rdb.HSet(t.Context(), keys.copy(), "seq", "1000")
		}},
		"it is in another form": {buckets: bucketCount, spoil: func(t *testing.T, rdb *redis.Client, keys keyspace) {
			rdb.HSet(t.Context(), keys.copy(), "format", "of another release")
		}},
		"it cannot be read": {buckets: bucketCount, spoil: func(t *testing.T, rdb *redis.Client, keys keyspace) {
			rdb.HSet(t.Context(), keys.copy(), "chunks", "many")
		}},
		"the key is not ours": {buckets: bucketCount, spoil: func(t *testing.T, rdb *redis.Client, keys keyspace) {
			rdb.Set(t.Context(), keys.copy(), "x", 0)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			rdb := server.Client()
			s := openOn(t, server)
			a := openAccount(t, s)
			victim, victimToken := mint(t, s, callbackSpec())
			pretendSidecars(t, rdb, s.keys, herdSize)
			openFromBuckets(t, server, s)
			eventually(t, "it leaves a copy", func() bool { return rdb.HExists(t.Context(), s.keys.copy(), "at").Val() })
			revoke(t, s, victim)
			_, later := mint(t, s, callbackSpec())
			if c.spoil != nil {
				c.spoil(t, rdb, s.keys)
			}
			before := calls(t, server, "hgetall")
			other := openFromBuckets(t, server, s)
			if got := calls(t, server, "hgetall") - before; got != c.buckets {
				t.Errorf("%d buckets read, want %d", got, c.buckets)
			}
			wantStanding(t, other, a.liveToken, keyring.Live)
			wantStanding(t, other, a.freshToken, keyring.Live)
			wantStanding(t, other, later, keyring.Live)
			for _, token := range []string{victimToken, a.revokedToken, a.old} {
				if standing(other, token) == keyring.Live {
					t.Error("a revoked token is live")
				}
			}
			if got := other.keyring.Size(); got != s.keyring.Size() {
				t.Errorf("%d credentials, want %d", got, s.keyring.Size())
			}
			_, token := mint(t, s, callbackSpec())
			eventually(t, "the ledger is followed on", func() bool { return standing(other, token) == keyring.Live })
		})
	}
}

// One whose turn it is may end in the middle of it. The others then do not wait for ever.
func TestTurnPasses(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := openOn(t, server)
	_, token := mint(t, s, callbackSpec())
	pretendSidecars(t, server.Client(), s.keys, herdSize)
	server.Client().HSet(t.Context(), s.keys.copy(), "lead", "one that is gone", "until", time.Now().Add(time.Second).UnixMilli())
	other := openFromBuckets(t, server, s)
	wantStanding(t, other, token, keyring.Live)
}

func TestSidecarsAreCounted(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, a, b *Store) {
		ctx := t.Context()
		ask := func(s *Store, what string, args ...any) herdReply {
			t.Helper()
			reply, err := s.follower.askHerd(ctx, s.opened.Load(), what, args...)
			if err != nil {
				t.Fatal(err)
			}
			return reply
		}
		ask(a, "seen")
		if n := a.follower.herd.size.Load(); n != 0 {
			t.Errorf("%d sidecars of a data set that has not begun", n)
		}
		mint(t, a, callbackSpec())
		rdb := node(t, a.opened.Load())
		rdb.ZAdd(ctx, a.keys.sidecars(), redis.Z{Score: float64(time.Now().Add(-2 * time.Hour).UnixMilli()), Member: "gone"})
		ask(a, "seen")
		ask(b, "seen")
		ask(b, "seen")
		if n := b.follower.herd.size.Load(); n != 2 {
			t.Errorf("%d sidecars, want 2", n)
		}
		// Two read each for itself; of many one leads.
		if got := ask(a, "read", keyring.CopyFormat, 3, 10, "", "first"); got.word != "alone" {
			t.Errorf("%+v", got)
		}
		if got := ask(a, "read", keyring.CopyFormat, 2, 10, "", "first"); got.word != "lead" {
			t.Errorf("%+v", got)
		}
		if got := ask(b, "read", keyring.CopyFormat, 2, 10, "", "second"); got.word != "wait" {
			t.Errorf("%+v", got)
		}
		if got := ask(b, "hold", "second"); got.word != "late" {
			t.Errorf("%+v", got)
		}
		if got := ask(a, "drop", "first"); got.word != "ok" {
			t.Errorf("%+v", got)
		}
		if got := ask(b, "read", keyring.CopyFormat, 2, 10, "", "second"); got.word != "lead" {
			t.Errorf("%+v", got)
		}
		if got := ask(a, "done", "first", "format", keyring.CopyFormat); got.word != "late" {
			t.Errorf("%+v", got)
		}
		if got := ask(b, "done", "second", "format", keyring.CopyFormat); got.word != "ok" {
			t.Errorf("%+v", got)
		}
		rdb.HSet(ctx, a.keys.copy(), "at", time.Now().Add(-time.Hour).UnixMilli())
		ask(a, "seen")
		if n := rdb.Exists(ctx, a.keys.copy()).Val(); n != 0 {
			t.Error("an old copy stays")
		}
	})
}

func TestSnapshotsAreSpread(t *testing.T) {
	for name, c := range map[string]struct {
		sidecars  int64
		staleness time.Duration
		want      time.Duration
	}{
		"alone":                  {1, 30 * time.Second, time.Second},
		"a hundred":              {100, 30 * time.Second, time.Second},
		"a thousand":             {1000, 30 * time.Second, 2 * time.Second},
		"more than there's time": {100_000, 30 * time.Second, 7500 * time.Millisecond},
		"a keyring ages quickly": {1000, 2 * time.Second, 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, Config{EmbeddedDir: t.TempDir()})
			s.tuning.Store(&Tuning{MaxStaleness: c.staleness})
			s.follower.herd.size.Store(c.sidecars)
			s.follower.jitter = func(limit time.Duration) time.Duration { return limit }
			if got := s.follower.spread(); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// Few sidecars have every change at once. Many are not woken for each of a burst.
func TestBurstOfChangesIsPaced(t *testing.T) {
	for _, c := range []struct {
		sidecars int64
		want     time.Duration
	}{{10, 0}, {1000, 40 * time.Millisecond}, {100_000, maxPace}} {
		synctest.Test(t, func(t *testing.T) {
			f := &follower{herd: newHerd()}
			f.herd.size.Store(c.sidecars)
			time.Sleep(time.Second)
			began := time.Now()
			for i := range 3 {
				if err := f.pace(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := time.Since(began); got != time.Duration(i)*c.want {
					t.Errorf("%d sidecars: change %d is taken after %v", c.sidecars, i, got)
				}
			}
		})
	}
}
