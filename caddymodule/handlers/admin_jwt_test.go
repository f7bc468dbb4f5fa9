package handlers

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
		{PublicKeyFile: file}, {PublicKeyFile: "{env.KEY_FILE}"}, {Secret: "s", DefaultTenant: uuid.NewString()}, {Secret: "s", Leeway: maxLeeway},
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
		"too much leeway":        {Secret: "s", Leeway: maxLeeway + 1},
		"nil tenant":             {Secret: "s", DefaultTenant: uuid.Nil.String()},
	} {
		if _, err := j.config(); err == nil {
			t.Errorf("%s: it loads", name)
		}
	}
}
