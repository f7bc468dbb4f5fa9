package store

import (
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential/credentialtest"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// fillBuckets writes n live credentials of a thousand tenants into the digest buckets of
// an empty data set, as the script would have: what a keyring boots from. Mints would
// take minutes.
func fillBuckets(b testing.TB, rdb *redis.Client, n int) {
	b.Helper()
	keys, err := newKeyspace("hookgate")
	if err != nil {
		b.Fatal(err)
	}
	identities := make([]*keyring.Identity, 1000)
	for i := range identities {
		identities[i] = &keyring.Identity{Tenant: credentialtest.ID(i), Kind: credential.KindCallback, Label: fmt.Sprintf("system-%d", i%10)}
	}
	buckets := make(map[string][]any, bucketCount)
	for i := range n {
		op := keyring.DigestOp{Digest: credentialtest.Digest(i), ID: credentialtest.ID(i), Key: keyring.Key{ID: credentialtest.ID(i), Identity: identities[i%len(identities)]}}
		bucket := keys.bucketOf(op.Digest)
		buckets[bucket] = append(buckets[bucket], string(op.Digest[:]), keyring.BucketValue(uint64(i+1), op))
	}
	ctx := b.Context()
	for names := range slices.Chunk(slices.Collect(maps.Keys(buckets)), 64) {
		_, err := rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, name := range names {
				p.HSet(ctx, name, buckets[name]...)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := rdb.HSet(ctx, keys.meta(), "epoch", "bench", "schema", "1", "seq", n, "head", "bench").Err(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkBoot reports how long a sidecar takes from its start until it can decide, with
// a million credentials in Redis on the same machine, and what they cost it.
func BenchmarkBoot(b *testing.B) {
	const n = 1_000_000
	server := redistest.Start(b)
	fillBuckets(b, server.Client(), n)
	var heapBytes uint64
	var pause, collection time.Duration
	for b.Loop() {
		b.StopTimer()
		before := heap()
		s := newStore(b, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}})
		b.StartTimer()
		if err := s.Start(Tuning{}); err != nil {
			b.Fatal(err)
		}
		for !s.Stats(time.Now()).Loaded {
			time.Sleep(time.Millisecond)
		}
		b.StopTimer()
		heapBytes += heap() - before
		began := time.Now()
		runtime.GC()
		collection = max(collection, time.Since(began))
		var gc debug.GCStats
		debug.ReadGCStats(&gc)
		pause = max(pause, gc.Pause[0])
		if got := s.Keyring().Count(credential.KindCallback); got != n {
			b.Fatalf("%d credentials", got)
		}
		if err := s.Destruct(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(heapBytes)/float64(b.N)/n, "B/credential")
	b.ReportMetric(float64(pause.Microseconds()), "gc-pause-µs")
	b.ReportMetric(float64(collection.Milliseconds()), "full-gc-ms")
}

// heap returns the bytes of live objects.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
