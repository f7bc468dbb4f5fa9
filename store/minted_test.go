package store

import (
	"strings"
	"testing"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/credential/credentialtest"
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

// TestTokenHint: no more of a token is kept than its beginning, and of one that was minted
// elsewhere not even that.
func TestTokenHint(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, token := mint(t, s, callbackSpec())
		fresh, next := rotate(t, s, c)
		hook, hookToken := mint(t, s, webhookSpec())
		for _, made := range []struct {
			c     credential.Credential
			token string
		}{{c, token}, {fresh, next}, {hook, hookToken}} {
			if want := made.token[:8]; get(t, s, made.c).TokenHint != want || made.c.TokenHint != want {
				t.Errorf("%q is minted and %q kept of %s…", made.c.TokenHint, get(t, s, made.c).TokenHint, want)
			}
		}
		imported, _, err := s.Import(t.Context(), callbackSpec(), Foreign{Digest: credentialtest.Digest(1)})
		if err != nil {
			t.Fatal(err)
		}
		adopted, _, err := s.Rotate(t.Context(), ref(fresh), Rotation{Foreign: &Foreign{Digest: credentialtest.Digest(2), ID: credentialtest.ID(2)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []credential.Credential{imported, adopted} {
			if got := get(t, s, c); got.TokenHint != "" || c.TokenHint != "" {
				t.Errorf("%+v", got)
			}
		}
	})
}
