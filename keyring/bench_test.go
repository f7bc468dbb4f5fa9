package keyring

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/hookgate/hookgate/credential/credentialtest"

	"github.com/hookgate/hookgate/credential"
)

// BenchmarkLookup looks up digests in an order that no cache foresees.
func BenchmarkLookup(b *testing.B) {
	for _, size := range []int{1, 10_000, 1_000_000} {
		k := loadedKeyring(size)
		const probes = 1 << 16
		hits, misses := make([]credential.Digest, probes), make([]credential.Digest, probes)
		for i := range hits {
			hits[i] = credentialtest.Digest(i * 7919 % size)
			misses[i] = credentialtest.Digest(size + i)
		}
		for _, probe := range []struct {
			name    string
			digests []credential.Digest
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
		"shared": func(i int) Identity {
			return Identity{Tenant: credentialtest.ID(i / 100), Kind: credential.KindCallback, Label: "acme"}
		},
		"labeled": func(i int) Identity {
			return Identity{Tenant: credentialtest.Tenant, Kind: credential.KindCallback, Label: fmt.Sprintf("label-%d", i)}
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				before := Heap()
				idx := NewIndex("epoch")
				for i := range size {
					identity := owner(i)
					idx.Put(credentialtest.Digest(i), uint64(i+1), Key{ID: credentialtest.ID(i), Identity: &identity})
				}
				b.ReportMetric(float64(Heap()-before)/size, "bytes/credential")
				runtime.KeepAlive(idx)
			}
		})
	}
}

func Heap() uint64 {
	runtime.GC()
	runtime.GC() // what the first one's finalizers released
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// The request path: every refused and accepted request pays for these.
func TestRequestPathDoesNotAllocate(t *testing.T) {
	k := loadedKeyring(1000)
	hit, miss := credentialtest.Digest(1), credential.DigestToken("nobody's")
	junk := credentialtest.Canary[:52] + "!"
	k.tombstones.younger[credentialtest.Digest(5000)] = credentialtest.ID(5000)
	revoked := credentialtest.Digest(5000)
	for name, f := range map[string]func(){
		"WellFormedToken":         func() { credential.WellFormedToken(credentialtest.Canary) },
		"WellFormedToken refused": func() { credential.WellFormedToken(junk) },
		"DigestToken":             func() { credential.DigestToken(credentialtest.Canary) },
		"Lookup of a live one":    func() { k.Lookup(hit) },
		"Lookup of an unknown":    func() { k.Lookup(miss) },
		"Lookup of a revoked one": func() { k.Lookup(revoked) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
