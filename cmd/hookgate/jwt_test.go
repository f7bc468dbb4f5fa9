package main

import (
	"os"
	"strings"
	"testing"
)

// TestSourcesOfOperatorKeys loads the example with other keys. No issuer is there:
// a configuration must load while it is down.
func TestSourcesOfOperatorKeys(t *testing.T) {
	environment(t)
	example, err := os.ReadFile("../../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	const written = "secret {env.AUTH_JWT_SECRET}\n\t\t\talgorithms HS256\n"
	if !strings.Contains(string(example), written) {
		t.Fatal("the example has another jwt block")
	}
	load := func(words string) error {
		_, err := validate(t, strings.Replace(string(example), written, strings.ReplaceAll(words, "\n", "\n\t\t\t")+"\n", 1))
		return err
	}
	for _, words := range []string{
		"jwks_url https://127.0.0.1:1/jwks", "jwks_url http://127.0.0.1:1/jwks\nalgorithms ES256 EdDSA", "jwks_url http://idp.invalid/jwks insecure",
		"secret {env.AUTH_JWT_SECRET}\nalgorithms HS256 HS512\nmax_ttl 1h",
	} {
		if err := load(words); err != nil {
			t.Errorf("%s: %v", words, err)
		}
	}
	for _, words := range []string{
		"issuer a", "jwks_url http://idp.invalid/jwks", "jwks_url ftp://idp.invalid/jwks insecure", "jwks_url https://idp.invalid/jwks\nalgorithms HS256",
		"jwks_url https://idp.invalid/jwks\nalgorithms RS256 HS256", "jwks_url https://idp.invalid/jwks\nsecret {env.AUTH_JWT_SECRET}",
		"jwks_url {env.NOT_SET}", "public_key_file /nowhere/key.pem", "public_key_file ../../Caddyfile.example", "secret {env.AUTH_JWT_SECRET}\nalgorithms RS256",
	} {
		if load(words) == nil {
			t.Errorf("%q loads", words)
		}
	}
}
