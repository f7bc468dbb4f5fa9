package store

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

func BenchmarkDigestToken(b *testing.B) {
	token := mintToken(prefixCallback)
	b.ReportAllocs()
	for b.Loop() {
		DigestToken(token)
	}
}

func BenchmarkWellFormedToken(b *testing.B) {
	for name, token := range map[string]string{"own": callbackVector, "foreign": "sk-live_0123456789abcdefghijklmnopqrstuvwxyz"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				WellFormedToken(token)
			}
		})
	}
}

// BenchmarkLookup looks up digests in an order that no cache foresees.
func BenchmarkLookup(b *testing.B) {
	for _, size := range []int{1, 10_000, 1_000_000} {
		k := loadedKeyring(size)
		const probes = 1 << 16
		hits, misses := make([]Digest, probes), make([]Digest, probes)
		for i := range hits {
			hits[i] = testDigest(i * 7919 % size)
			misses[i] = testDigest(size + i)
		}
		for _, probe := range []struct {
			name    string
			digests []Digest
			want    Standing
		}{{"hit", hits, Live}, {"miss", misses, Unknown}} {
			b.Run(fmt.Sprintf("%s/%d/serial", probe.name, size), func(b *testing.B) {
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					if _, got := k.Lookup(probe.digests[i%probes]); got != probe.want {
						b.Fatal(got)
					}
					i++
				}
			})
			b.Run(fmt.Sprintf("%s/%d/parallel", probe.name, size), func(b *testing.B) {
				b.ReportAllocs()
				var worker atomic.Int64
				b.RunParallel(func(pb *testing.PB) {
					for i := int(worker.Add(1)) * 7717; pb.Next(); i++ {
						if _, got := k.Lookup(probe.digests[i%probes]); got != probe.want {
							b.Error(got)
						}
					}
				})
			})
		}
	}
}

// BenchmarkKeyringMemory reports the heap of a million credentials: of one owner
// each hundred, and with a label that no other one has.
func BenchmarkKeyringMemory(b *testing.B) {
	const size = 1_000_000
	for name, owner := range map[string]func(i int) Identity{
		"shared": func(i int) Identity { return Identity{Tenant: testID(i / 100), Kind: KindCallback, Label: "acme"} },
		"labeled": func(i int) Identity {
			return Identity{Tenant: tenant, Kind: KindCallback, Label: fmt.Sprintf("label-%d", i)}
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				before := heap()
				idx := newIndex("epoch")
				for i := range size {
					identity := owner(i)
					idx.put(testDigest(i), uint64(i+1), Key{ID: testID(i), Identity: &identity})
				}
				b.ReportMetric(float64(heap()-before)/size, "bytes/credential")
				runtime.KeepAlive(idx)
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what the first one's finalizers released
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkMarkUsed notes the uses of one busy credential, and of ten thousand.
func BenchmarkMarkUsed(b *testing.B) {
	s := newStore(b, Config{EmbeddedDir: b.TempDir()})
	for _, size := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("%d/serial", size), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.MarkUsed(testID(i%size), time.Now())
			}
		})
		b.Run(fmt.Sprintf("%d/parallel", size), func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					s.MarkUsed(testID(i%size), time.Now())
				}
			})
		})
	}
}
