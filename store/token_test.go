package store

import (
	"crypto/sha256"
	"strings"
	"testing"
)

const (
	callbackVector = "mcb_" + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" + "2Il7sk"
	webhookVector  = "mwh_" + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg" + "4My3Df"
)

func TestTokenVectors(t *testing.T) {
	for _, vector := range []string{callbackVector, webhookVector} {
		body, want := vector[:tokenLength-checksumLength], vector[tokenLength-checksumLength:]
		if got := checksum(body); string(got[:]) != want {
			t.Errorf("checksum of %s = %s, want %s", body, got, want)
		}
		if !WellFormedToken(vector) {
			t.Errorf("%s is not well formed", vector)
		}
	}
}

func TestMintedTokens(t *testing.T) {
	seen := make(map[string]bool)
	var characters [256]int
	const tokens = 2000
	for range tokens {
		token := mintToken(prefixCallback)
		if len(token) != 53 || !strings.HasPrefix(token, "mcb_") || !WellFormedToken(token) {
			t.Fatalf("minted %q", token)
		}
		if seen[token] {
			t.Fatal("the same token twice")
		}
		seen[token] = true
		for i := len(prefixCallback); i < tokenLength-checksumLength; i++ {
			characters[token[i]]++
		}
	}
	// 1387 of each are expected. A modulo without rejection would give the first
	// eight characters a quarter more, eight times the tolerance of six sigma.
	const mean = tokens * secretLength / len(base62)
	for i := range len(base62) {
		if n := characters[base62[i]]; n < mean-225 || n > mean+225 {
			t.Errorf("%q occurs %d times of %d on average", base62[i], n, mean)
		}
	}
}

func TestWellFormedToken(t *testing.T) {
	tests := map[string]struct {
		token string
		want  bool
	}{
		"empty":                    {"", false},
		"one character":            {"x", true},
		"foreign":                  {"sk-live_0.9~Z", true},
		"longest foreign":          {strings.Repeat("x", 512), true},
		"too long foreign":         {strings.Repeat("x", 513), false},
		"foreign with slash":       {"a/b", false},
		"foreign with space":       {"a b", false},
		"foreign with plus":        {"a+b", false},
		"foreign with percent":     {"a%41", false},
		"foreign with NUL":         {"a\x00", false},
		"foreign with newline":     {"a\n", false},
		"foreign beyond ASCII":     {"caf\u00e9", false},
		"full-width digits":        {"\uff11\uff12", false},
		"other case of our prefix": {"MCB_" + callbackVector[4:], true}, // foreign, so looked up
		"unfinished prefix":        {"mcb", true},
		"prefix alone":             {"mcb_", false},
		"other prefix":             {"mwh_" + callbackVector[4:], false}, // covered by the checksum
		"one character short":      {callbackVector[:52], false},
		"one character long":       {callbackVector + "0", false},
		"space inside":             {"mcb_ " + callbackVector[5:], false},
		"foreign byte inside":      {"mcb_-" + callbackVector[5:], false},
		"trailing newline":         {callbackVector[:52] + "\n", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := WellFormedToken(test.token); got != test.want {
				t.Errorf("WellFormedToken(%q) = %t", test.token, got)
			}
		})
	}
}

// CRC-32 tells every single changed character and every swap of neighbours.
func TestChecksumCatchesTypingErrors(t *testing.T) {
	token := mintToken(prefixWebhook)
	for i := range token {
		for _, c := range []byte(base62 + "_-.~ ") {
			changed := token[:i] + string(c) + token[i+1:]
			if changed != token && strings.HasPrefix(changed, prefixWebhook) && WellFormedToken(changed) {
				t.Errorf("a token with another character at %d is well formed", i)
			}
		}
		if i > 0 && token[i] != token[i-1] {
			swapped := token[:i-1] + string(token[i]) + string(token[i-1]) + token[i+1:]
			if strings.HasPrefix(swapped, prefixWebhook) && WellFormedToken(swapped) {
				t.Errorf("a token with %d and %d swapped is well formed", i-1, i)
			}
		}
	}
}

func TestDigestToken(t *testing.T) {
	for _, token := range []string{"", "abc", callbackVector, strings.Repeat("x", maxForeignTokenLength)} {
		if got := DigestToken(token); got != Digest(sha256.Sum256([]byte(token))) {
			t.Errorf("DigestToken(%q) = %v", token, got)
		}
	}
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := DigestToken("abc").String(); got != abc {
		t.Errorf("digest of abc = %s", got)
	}
}

// The request path: every refused and accepted request pays for these.
func TestRequestPathDoesNotAllocate(t *testing.T) {
	k := loadedKeyring(1000)
	hit, miss := testDigest(1), DigestToken("nobody's")
	junk := callbackVector[:52] + "!"
	k.tombstones.younger[testDigest(5000)] = testID(5000)
	revoked := testDigest(5000)
	for name, f := range map[string]func(){
		"WellFormedToken":         func() { WellFormedToken(callbackVector) },
		"WellFormedToken refused": func() { WellFormedToken(junk) },
		"DigestToken":             func() { DigestToken(callbackVector) },
		"Lookup of a live one":    func() { k.Lookup(hit) },
		"Lookup of an unknown":    func() { k.Lookup(miss) },
		"Lookup of a revoked one": func() { k.Lookup(revoked) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func FuzzWellFormedToken(f *testing.F) {
	for _, seed := range []string{"", "mcb_", callbackVector, webhookVector, "sk-live_0.9~Z", "a/b", "caf\u00e9", strings.Repeat("x", 513)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if !WellFormedToken(token) {
			return
		}
		// Whatever passes may go into a header, a URL path or a log field as it is.
		if len(token) == 0 || len(token) > maxForeignTokenLength {
			t.Errorf("%d bytes", len(token))
		}
		if strings.Trim(token, base62+"._~-") != "" {
			t.Errorf("%q holds a character outside the alphabet", token)
		}
		if strings.HasPrefix(token, prefixCallback) || strings.HasPrefix(token, prefixWebhook) {
			body := token[:len(token)-checksumLength]
			if sum := checksum(body); len(token) != tokenLength || body+string(sum[:]) != token {
				t.Errorf("%q passes with a wrong checksum", token)
			}
		}
	})
}
