package store

import (
	"testing"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// BenchmarkMint and BenchmarkBareScript belong together: what minting costs beyond
// the script that it runs, which is what Redis can do at best. Bar: at least half.
func BenchmarkMint(b *testing.B) {
	s := open(b, Config{Redis: redisconn.Server{URLs: []string{redistest.Start(b).URL()}}})
	b.Run("serial", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := s.Mint(b.Context(), callbackSpec()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, _, err := s.Mint(b.Context(), callbackSpec()); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkBareScript(b *testing.B) {
	s := open(b, Config{Redis: redisconn.Server{URLs: []string{redistest.Start(b).URL()}}})
	client := node(b, s.opened.Load())
	call := func() error {
		m := mintMutation(b)
		m.audit = auditNote{action: ActionMint, credential: m.records[0].id, kind: credential.KindCallback}
		keys, args := s.lay(b.Context(), m, randomHex(), serverLedgerLength)
		return mutateScript.Run(b.Context(), client, keys, append([]any{""}, args...)...).Err()
	}
	b.Run("serial", func(b *testing.B) {
		for b.Loop() {
			if err := call(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := call(); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
