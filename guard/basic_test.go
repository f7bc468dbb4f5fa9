package guard

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/credential"
)

// basic returns what a client sends as Authorization.
func basic(pair string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}

// apiDigest returns the digest under which an api credential is kept.
func apiDigest(clientID, secret string) credential.Digest {
	return credential.DigestAPISecret(clientID, sha256.Sum256([]byte(secret)))
}

func TestParseBasic(t *testing.T) {
	longID, longSecret := strings.Repeat("i", 128), strings.Repeat("s", 512)
	for value, pair := range map[string][2]string{
		"Basic Y2xpZW50OnNlY3JldA==":                      {"client", "secret"},
		"basic Y2xpZW50OnNlY3JldA==":                      {"client", "secret"},
		"BASIC   Y2xpZW50OnNlY3JldA==":                    {"client", "secret"},
		basic("client:with:colons: and spaces"):           {"client", "with:colons: and spaces"},
		basic("!#$%&'()*+,-./;<=>?@[\\]^_`{|}~:ä€\u2028"): {"!#$%&'()*+,-./;<=>?@[\\]^_`{|}~", "ä€\u2028"},
		basic(longID + ":" + longSecret):                  {longID, longSecret},
	} {
		if digest, ok := parseBasic(value); !ok || digest != apiDigest(pair[0], pair[1]) {
			t.Errorf("%q: %v", value, ok)
		}
	}
	for _, value := range []string{
		"", " ", "Basic", "Basic ", "Basic  ", "Y2xpZW50OnNlY3JldA==", "Bearer Y2xpZW50OnNlY3JldA==", "Basic\tY2xpZW50OnNlY3JldA==",
		"BasicY2xpZW50OnNlY3JldA==", "Basic Y2xpZW50OnNlY3JldA==, Basic Y2xpZW50OnNlY3JldA==", "Basic Y2xpZW50OnNlY3JldA== x",
		"Basic Y2xpZW50OnNlY3JldA", "Basic Y2xpZW50OnNlY3JldB==", "Basic Y2xp\r\nZW50OnNlY3JldA==", "Basic Y2xp ZW50OnNlY3JldA==",
		"Basic Y2xpZW50OnNlY3JldA===", "Basic client:secret", "Basic token=Y2xpZW50OnNlY3JldA==",
		"Basic " + base64.URLEncoding.EncodeToString([]byte("client:???>>>")),
		basic("client"), basic(":secret"), basic("client:"), basic(":"), basic("a b:secret"), basic("a\x00b:secret"), basic("ä:secret"),
		basic("client:a\nb"), basic("client:a\x00"), basic("client:\x7f"), basic("client:\xff"), basic("client:a\t"),
		basic(longID + "i:s"), basic("client:" + longSecret + "s"), basic(longID + ":" + longSecret + "s"), "Basic " + strings.Repeat("A", 1<<20),
	} {
		if _, ok := parseBasic(value); ok {
			t.Errorf("%.80q was accepted", value)
		}
	}
}

// FuzzParseBasic checks that what is accepted is what Go's own reader makes of it,
// that it is bounded, and that there is one way only to write it.
func FuzzParseBasic(f *testing.F) {
	for _, seed := range []string{"Basic Y2xpZW50OnNlY3JldA==", "basic  YTpi", "Basic YTpi\n", "Bearer YTpi", "Basic YTo=", basic("a:\xff")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		digest, ok := parseBasic(value)
		if !ok {
			if digest != (credential.Digest{}) {
				t.Fatal("a digest of what was refused")
			}
			return
		}
		scheme, encoded, _ := strings.Cut(value, " ")
		encoded = strings.TrimLeft(encoded, " ")
		request := http.Request{Header: http.Header{"Authorization": {scheme + " " + encoded}}}
		clientID, secret, read := request.BasicAuth()
		if !read || digest != apiDigest(clientID, secret) {
			t.Fatalf("%q is %q and %q elsewhere", value, clientID, secret)
		}
		if !credential.ValidClientID(clientID) || secret == "" || len(secret) > maxClientSecret || basic(clientID+":"+secret) != "Basic "+encoded {
			t.Fatalf("%q was accepted", value)
		}
	})
}
