package store

import (
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

const herdStaleness = 30 * time.Second

// BenchmarkHerd lets many sidecars, each a Store of its own in this process, read the
// same data set anew at once. It reports what that costs Redis in time of its processor,
// how long it takes until all are fresh, how old the oldest keyring became, and how many
// round trips were lost. Clients and server share the machine, so the time is mostly the
// clients' own.
func BenchmarkHerd(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(25)) // a thousand keyrings
	for _, size := range []struct{ sidecars, credentials int }{{1000, 0}, {1000, 10_000}, {200, 100_000}} {
		name := fmt.Sprintf("%dx%d", size.sidecars, size.credentials)
		if size.credentials > 0 {
			b.Run("fork/"+name, func(b *testing.B) { benchFork(b, size.sidecars, size.credentials) })
			b.Run("epoch/"+name, func(b *testing.B) { benchEpoch(b, size.sidecars, size.credentials) })
		} else {
			b.Run("first-mint/"+name, func(b *testing.B) { benchFirstMint(b, size.sidecars) })
		}
	}
	for _, size := range []struct{ sidecars, credentials int }{{1000, 100_000}, {50, 1_000_000}} {
		b.Run(fmt.Sprintf("boot/%dx%d", size.sidecars, size.credentials), func(b *testing.B) {
			benchBoots(b, size.sidecars, size.credentials)
		})
	}
}

// benchFork: a failover has lost the newest change, so that no keyring continues the
// ledger.
func benchFork(b *testing.B, sidecars, credentials int) {
	server, stores := openHerd(b, sidecars, credentials)
	rdb, keys := server.Client(), stores[0].keys
	for b.Loop() {
		b.StopTimer()
		meta, ledger := rdb.HGetAll(b.Context(), keys.meta()).Val(), rdb.Dump(b.Context(), keys.ledger()).Val()
		c, _ := mint(b, stores[0], callbackSpec())
		bucket := keys.bucketOf(get(b, stores[0], c).Digest)
		awaitAll(b, stores, func(s *Store) bool { return s.keyring.Size() == credentials+1 })
		measured := measureHerd(b, server, stores)
		b.StartTimer()
		_, err := rdb.TxPipelined(b.Context(), func(p redis.Pipeliner) error {
			p.Del(b.Context(), keys.meta(), keys.ledger())
			p.HSet(b.Context(), keys.meta(), meta)
			if ledger != "" {
				p.Restore(b.Context(), keys.ledger(), 0, ledger)
			}
			digest := get(b, stores[0], c).Digest
			p.HDel(b.Context(), bucket, string(digest[:]))
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		measured.until(func(s *Store) bool { return s.follower.resyncCounts()[ResyncFork] > 0 })
	}
}

// benchEpoch: an operator declares a new epoch over the same data set.
func benchEpoch(b *testing.B, sidecars, credentials int) {
	server, stores := openHerd(b, sidecars, credentials)
	for b.Loop() {
		measured := measureHerd(b, server, stores)
		epoch, err := stores[0].NewEpoch(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		measured.until(func(s *Store) bool { return s.keyring.KnownEpoch() == epoch })
	}
}

// benchFirstMint: the data set begins.
func benchFirstMint(b *testing.B, sidecars int) {
	server, stores := openHerd(b, sidecars, 0)
	for b.Loop() {
		measured := measureHerd(b, server, stores)
		mint(b, stores[0], callbackSpec())
		measured.until(func(s *Store) bool { return s.keyring.Size() == 1 })
	}
}

// benchBoots starts all at once, as far as memory goes: no more than some are loading at
// a time, and one that is loaded ends.
func benchBoots(b *testing.B, sidecars, credentials int) {
	server := redistest.Start(b)
	fillBuckets(b, server.Client(), credentials)
	for b.Loop() {
		measured := measureHerd(b, server, nil)
		loading := make(chan struct{}, 25_000_000/credentials)
		var running sync.WaitGroup
		var mu sync.Mutex
		slowest := time.Duration(0)
		for range sidecars {
			loading <- struct{}{}
			running.Go(func() {
				began := time.Now()
				s := startOne(b, server)
				for s.keyring.Fresh.Load() == nil {
					time.Sleep(5 * time.Millisecond)
				}
				took := time.Since(began)
				for server.Client().HGet(b.Context(), s.keys.copy(), "lead").Err() == nil { // it may be the one that the others wait for
					time.Sleep(100 * time.Millisecond)
				}
				mu.Lock()
				defer mu.Unlock()
				slowest = max(slowest, took)
				measured.lost += s.Stats(time.Now()).SnapshotRetries
				s.Destruct()
				<-loading
			})
		}
		running.Wait()
		measured.report()
		b.ReportMetric(slowest.Seconds(), "slowest-boot-s")
	}
}

// BenchmarkHerdChange reports what one change costs Redis, above what the sidecars that
// follow cost it anyway: one change at a time, and twenty a second.
func BenchmarkHerdChange(b *testing.B) {
	const sidecars, changes = 1000, 40
	server, stores := openHerd(b, sidecars, 0)
	mint(b, stores[0], callbackSpec())
	awaitAll(b, stores, func(s *Store) bool { return s.keyring.Size() == 1 })
	time.Sleep(2 * time.Second)
	rdb := server.Client()
	for _, pace := range []time.Duration{700 * time.Millisecond, 50 * time.Millisecond} {
		b.Run(pace.String(), func(b *testing.B) {
			for b.Loop() {
				idle, began := processorTime(b, rdb), time.Now()
				time.Sleep(10 * time.Second)
				rate := (processorTime(b, rdb) - idle).Seconds() / time.Since(began).Seconds()
				before, began := processorTime(b, rdb), time.Now()
				for range changes {
					mint(b, stores[0], callbackSpec())
					time.Sleep(pace)
				}
				count := stores[0].keyring.Size()
				awaitAll(b, stores, func(s *Store) bool { return s.keyring.Size() == count })
				took := time.Since(began).Seconds()
				cost := (processorTime(b, rdb) - before).Seconds() - rate*took
				b.ReportMetric(rate*100, "idle-%")
				b.ReportMetric(cost/changes*1000, "redis-ms/change")
			}
		})
	}
}

func startOne(b *testing.B, server *redistest.Server) *Store {
	b.Helper()
	s := newStore(b, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}})
	if err := s.Start(Tuning{UsageFlush: time.Hour, MaxStaleness: herdStaleness}); err != nil {
		b.Fatal(err)
	}
	return s
}

// openHerd returns sidecars that follow a data set, which has had one change where it has
// credentials.
func openHerd(b *testing.B, sidecars, credentials int) (*redistest.Server, []*Store) {
	b.Helper()
	server := redistest.Start(b)
	if credentials > 0 {
		fillBuckets(b, server.Client(), credentials)
	}
	stores := make([]*Store, sidecars)
	for i := range stores {
		stores[i] = startOne(b, server)
		if i%50 == 49 {
			awaitAll(b, stores[:i+1], func(s *Store) bool { return s.keyring.Fresh.Load() != nil })
		}
	}
	awaitAll(b, stores, func(s *Store) bool { return s.keyring.Fresh.Load() != nil })
	for _, s := range stores { // as after the next time they are counted
		s.follower.herd.size.Store(int64(sidecars))
	}
	return server, stores
}

func awaitAll(b *testing.B, stores []*Store, condition func(*Store) bool) {
	b.Helper()
	for i := 0; i < len(stores); {
		if condition(stores[i]) {
			i++
			continue
		}
		time.Sleep(5 * time.Millisecond)
	}
}

type herdMeasure struct {
	b      *testing.B
	server *redistest.Server
	stores []*Store
	began  time.Time
	cpu    time.Duration
	lost   uint64
}

func measureHerd(b *testing.B, server *redistest.Server, stores []*Store) *herdMeasure {
	b.Helper()
	m := &herdMeasure{b: b, server: server, stores: stores, began: time.Now(), cpu: processorTime(b, server.Client())}
	for _, s := range stores {
		m.lost -= s.Stats(m.began).SnapshotRetries // those of its start
	}
	return m
}

// until returns when the condition holds for all, and each has been proved fresh since.
func (m *herdMeasure) until(condition func(*Store) bool) {
	m.b.Helper()
	waiting := make(map[*Store]bool)
	for _, s := range m.stores {
		waiting[s] = true
	}
	oldest := time.Duration(0)
	for len(waiting) > 0 {
		for s := range waiting {
			age, _ := s.keyring.Age(time.Now())
			oldest = max(oldest, age)
			if condition(s) && s.keyring.Fresh.Load().After(m.began) {
				delete(waiting, s)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	for _, s := range m.stores {
		m.lost += s.Stats(time.Now()).SnapshotRetries
	}
	m.report()
	m.b.ReportMetric(oldest.Seconds(), "oldest-keyring-s")
}

func (m *herdMeasure) report() {
	m.b.ReportMetric(0, "ns/op")
	m.b.ReportMetric(time.Since(m.began).Seconds(), "all-fresh-s")
	m.b.ReportMetric((processorTime(m.b, m.server.Client()) - m.cpu).Seconds(), "redis-cpu-s")
	m.b.ReportMetric(float64(m.lost), "round-trips-lost")
}

// processorTime returns how long the server has computed, in both modes.
func processorTime(b *testing.B, rdb *redis.Client) (total time.Duration) {
	b.Helper()
	for line := range strings.Lines(rdb.Info(b.Context(), "cpu").Val()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_sys" || name == "used_cpu_user" {
			seconds, err := strconv.ParseFloat(value, 64)
			if err != nil {
				b.Fatal(err)
			}
			total += time.Duration(seconds * float64(time.Second))
		}
	}
	return total
}
