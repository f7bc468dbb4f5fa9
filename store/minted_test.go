package store

import (
	"strings"
	"testing"

	"github.com/hookgate/hookgate/credential"
)

func TestMintedTokens(t *testing.T) {
	seen := make(map[string]bool)
	var characters [256]int
	const tokens = 2000
	for range tokens {
		token := credential.MintToken(credential.PrefixCallback)
		if len(token) != 53 || !strings.HasPrefix(token, "mcb_") || !credential.WellFormedToken(token) {
			t.Fatalf("minted %q", token)
		}
		if seen[token] {
			t.Fatal("the same token twice")
		}
		seen[token] = true
		for i := len(credential.PrefixCallback); i < credential.TokenLength-credential.ChecksumLength; i++ {
			characters[token[i]]++
		}
	}
	// 1387 of each are expected. A modulo without rejection would give the first
	// eight characters a quarter more, eight times the tolerance of six sigma.
	const mean = tokens * credential.SecretLength / len(credential.Base62)
	for i := range len(credential.Base62) {
		if n := characters[credential.Base62[i]]; n < mean-225 || n > mean+225 {
			t.Errorf("%q occurs %d times of %d on average", credential.Base62[i], n, mean)
		}
	}
}
