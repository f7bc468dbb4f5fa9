package credential

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
		body, want := vector[:TokenLength-ChecksumLength], vector[TokenLength-ChecksumLength:]
		if got := checksum(body); string(got[:]) != want {
			t.Errorf("checksum of %s = %s, want %s", body, got, want)
		}
		if !WellFormedToken(vector) {
			t.Errorf("%s is not well formed", vector)
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
	token := MintToken(prefixWebhook)
	for i := range token {
		for _, c := range []byte(Base62 + "_-.~ ") {
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
		if strings.Trim(token, Base62+"._~-") != "" {
			t.Errorf("%q holds a character outside the alphabet", token)
		}
		if strings.HasPrefix(token, PrefixCallback) || strings.HasPrefix(token, prefixWebhook) {
			body := token[:len(token)-ChecksumLength]
			if sum := checksum(body); len(token) != TokenLength || body+string(sum[:]) != token {
				t.Errorf("%q passes with a wrong checksum", token)
			}
		}
	})
}
