package handlers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
)

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
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	authority := write("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	t.Setenv("KEY_FILE", file)
	t.Setenv("EMPTY", "")
	for _, j := range []*JWT{
		{Secret: several{"s"}}, {JWKSURL: "https://idp.example/jwks"}, {JWKSURL: "http://idp/jwks", JWKSInsecure: true},
		{PublicKeyFile: several{file}}, {PublicKeyFile: several{"{env.KEY_FILE}"}}, {Secret: several{"s"}, DefaultTenant: uuid.NewString()}, {Secret: several{"s"}, Leeway: maxLeeway},
		{Secret: several{"s", "{env.KEY_FILE}"}}, {PublicKeyFile: several{file, file}},
		{JWKSURL: "https://kubernetes.default.svc/openid/v1/jwks", TLSCA: authority, BearerTokenFile: "{env.KEY_FILE}"},
	} {
		if _, err := j.config(); err != nil {
			t.Errorf("%+v: %v", j, err)
		}
	}
	for name, j := range map[string]*JWT{
		"no block":               nil,
		"no source":              {},
		"secret and JWKS":        {Secret: several{"s"}, JWKSURL: "https://idp.example/jwks"},
		"secret and file":        {Secret: several{"s"}, PublicKeyFile: several{file}},
		"JWKS and file":          {JWKSURL: "https://idp.example/jwks", PublicKeyFile: several{file}},
		"all":                    {Secret: several{"s"}, JWKSURL: "https://idp.example/jwks", PublicKeyFile: several{file}},
		"an empty one counts":    {Secret: several{"{env.EMPTY}"}, PublicKeyFile: several{file}},
		"empty secret":           {Secret: several{"{env.EMPTY}"}},
		"empty URL":              {JWKSURL: "{env.EMPTY}"},
		"empty name":             {PublicKeyFile: several{"{env.EMPTY}"}},
		"insecure without JWKS":  {Secret: several{"s"}, JWKSInsecure: true},
		"an empty second one":    {Secret: several{"s", "{env.EMPTY}"}},
		"tls_ca without JWKS":    {Secret: several{"s"}, TLSCA: authority},
		"token without JWKS":     {PublicKeyFile: several{file}, BearerTokenFile: file},
		"tls_ca without TLS":     {JWKSURL: "http://127.0.0.1/jwks", TLSCA: authority},
		"no certificate":         {JWKSURL: "https://idp.example/jwks", TLSCA: file},
		"no such file":           {PublicKeyFile: several{filepath.Join(dir, "absent.pem")}},
		"a directory":            {PublicKeyFile: several{dir}},
		"an empty file":          {PublicKeyFile: several{write("empty.pem", nil)}},
		"a huge file":            {PublicKeyFile: several{write("huge.pem", []byte(strings.Repeat("a", maxPublicKeyFile+1)))}},
		"tenant that is no UUID": {Secret: several{"s"}, DefaultTenant: "acme"},
		"too much leeway":        {Secret: several{"s"}, Leeway: maxLeeway + 1},
		"nil tenant":             {Secret: several{"s"}, DefaultTenant: uuid.Nil.String()},
	} {
		if _, err := j.config(); err == nil {
			t.Errorf("%s: it loads", name)
		}
	}
}
