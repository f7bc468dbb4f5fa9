package admin_test

import (
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/admin/bearer"
)

// TestIssuerLikeKubernetes: an issuer with an authority of its own that shows its keys to
// holders of a token alone, which is replaced while we run.
func TestIssuerLikeKubernetes(t *testing.T) {
	valid := "first-canary"
	idp := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+valid {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		w.Write(must(json.Marshal(map[string]any{"keys": []any{jwk(rsa2048, "k", nil)}})))
	}))
	defer idp.Close()
	roots := x509.NewCertPool()
	roots.AddCert(idp.Certificate())
	file := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trusting := func(change func(*bearer.Config)) *server {
		return newServer(t, withJWT(func(c *bearer.Config) {
			c.Secrets, c.KeySetURL, c.KeySetRoots, c.KeySetToken = nil, idp.URL, roots, file
			change(c)
		}))
	}
	who := keyed(t, "RS256", rsa2048(), kid("k"), jwt.MapClaims{})
	write("first-canary\n")
	trusting(func(*bearer.Config) {}).must(200, who, "GET", callbacksPath, "")
	valid = "second-canary"
	write("second-canary")
	trusting(func(*bearer.Config) {}).must(200, who, "GET", callbacksPath, "")
	for name, broken := range map[string]func(*bearer.Config){
		"another authority": func(c *bearer.Config) { c.KeySetRoots = x509.NewCertPool() },
		"no token":          func(c *bearer.Config) { c.KeySetToken = "" },
		"no file":           func(c *bearer.Config) { c.KeySetToken = file + ".absent" },
		"two lines":         func(*bearer.Config) { write("second-canary\nX-Injected: 1") },
	} {
		s := trusting(broken)
		checkProblem(t, s.as(who, "GET", callbacksPath, ""), 503, "HKG-2020")
		if strings.Contains(s.log.String(), "canary") {
			t.Errorf("%s: the token is in the log: %s", name, s.log)
		}
	}
	plain := bearer.Config{KeySetURL: "http://127.0.0.1/jwks", KeySetToken: file}
	if _, err := admin.New(admin.Config{Store: newServer(t).store, JWT: plain}); err == nil {
		t.Error("a token goes over plain HTTP")
	}
}
