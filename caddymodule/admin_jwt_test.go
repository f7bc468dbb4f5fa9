package caddymodule

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestJWTCaddyfile(t *testing.T) {
	for text, want := range map[string]string{
		"jwt {\njwks_url https://idp.example/jwks\nalgorithms RS256 ES256\nmax_ttl 8h\n}": `{"jwt":{"jwks_url":"https://idp.example/jwks","algorithms":["RS256","ES256"],"max_ttl":28800000000000}}`,
		"jwt {\njwks_url http://idp/jwks insecure\n}":                                     `{"jwt":{"jwks_url":"http://idp/jwks","jwks_insecure":true}}`,
		"jwt {\npublic_key_file /run/key.pem\n}":                                          `{"jwt":{"public_key_file":"/run/key.pem"}}`,
		"jwt {\nsecret s\nmax_ttl 2d\n}":                                                  `{"jwt":{"secret":"s","max_ttl":172800000000000}}`,
		"rate_limit off":                                                                  `{"rate_limit":{"off":true}}`,
		"rate_limit 5":                                                                    `{"rate_limit":{"per_second":5}}`,
		"rate_limit 5 50":                                                                 `{"rate_limit":{"per_second":5,"burst":50}}`,
	} {
		if got, err := parsed(t, new(Admin), "hookgate_admin {\n"+text+"\n}"); err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"jwt {\njwks_url\n}", "jwt {\njwks_url a b\n}", "jwt {\njwks_url a insecure b\n}", "jwt {\njwks_url a\njwks_url b\n}",
		"jwt {\npublic_key_file\n}", "jwt {\npublic_key_file a b\n}", "jwt {\nissuer a\nissuer a\n}", "jwt {\nroles_claims a\nroles_claims b\n}",
		"jwt {\nmax_ttl\n}", "jwt {\nmax_ttl x\n}", "jwt {\nmax_ttl 0\n}", "jwt {\nmax_ttl -1h\n}", "jwt {\nmax_ttl 1h 2h\n}",
		"rate_limit", "rate_limit 0", "rate_limit -1", "rate_limit x", "rate_limit 1.5", "rate_limit 1 0", "rate_limit 1 2 3", "rate_limit off 1",
		"rate_limit 1\nrate_limit 2",
	} {
		if got, err := parsed(t, new(Admin), "hookgate_admin {\n"+text+"\n}"); err == nil {
			t.Errorf("%s was accepted as %s", text, got)
		}
	}
}

func TestSourceOfKeys(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	t.Setenv("KEY_FILE", file)
	t.Setenv("EMPTY", "")
	for _, j := range []*JWT{
		{Secret: "s"}, {JWKSURL: "https://idp.example/jwks"}, {JWKSURL: "http://idp/jwks", JWKSInsecure: true},
		{PublicKeyFile: file}, {PublicKeyFile: "{env.KEY_FILE}"}, {Secret: "s", DefaultTenant: uuid.NewString()},
	} {
		if _, err := j.config(); err != nil {
			t.Errorf("%+v: %v", j, err)
		}
	}
	for name, j := range map[string]*JWT{
		"no block":               nil,
		"no source":              {},
		"secret and JWKS":        {Secret: "s", JWKSURL: "https://idp.example/jwks"},
		"secret and file":        {Secret: "s", PublicKeyFile: file},
		"JWKS and file":          {JWKSURL: "https://idp.example/jwks", PublicKeyFile: file},
		"all":                    {Secret: "s", JWKSURL: "https://idp.example/jwks", PublicKeyFile: file},
		"an empty one counts":    {Secret: "{env.EMPTY}", PublicKeyFile: file},
		"empty secret":           {Secret: "{env.EMPTY}"},
		"empty URL":              {JWKSURL: "{env.EMPTY}"},
		"empty name":             {PublicKeyFile: "{env.EMPTY}"},
		"insecure without JWKS":  {Secret: "s", JWKSInsecure: true},
		"no such file":           {PublicKeyFile: filepath.Join(dir, "absent.pem")},
		"a directory":            {PublicKeyFile: dir},
		"an empty file":          {PublicKeyFile: write("empty.pem", nil)},
		"a huge file":            {PublicKeyFile: write("huge.pem", []byte(strings.Repeat("a", maxPublicKeyFile+1)))},
		"tenant that is no UUID": {Secret: "s", DefaultTenant: "acme"},
		"nil tenant":             {Secret: "s", DefaultTenant: uuid.Nil.String()},
	} {
		if _, err := j.config(); err == nil {
			t.Errorf("%s: it loads", name)
		}
	}
}
