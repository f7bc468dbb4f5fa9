package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential/credentialtest"
)

// BenchmarkMarkUsed notes the uses of one busy credential, and of ten thousand.
func BenchmarkMarkUsed(b *testing.B) {
	s := newStore(b, Config{EmbeddedDir: b.TempDir()})
	for _, size := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("%d/serial", size), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.MarkUsed(credentialtest.ID(i%size), time.Now())
			}
		})
		b.Run(fmt.Sprintf("%d/parallel", size), func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					s.MarkUsed(credentialtest.ID(i%size), time.Now())
				}
			})
		})
	}
}
