package credential

import (
	"testing"
)

func BenchmarkDigestToken(b *testing.B) {
	token := MintToken(PrefixCallback)
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
