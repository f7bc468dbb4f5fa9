package test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestOperatorsOfAnIssuer: the admin API trusts the keys that an issuer publishes,
// starts and reloads without it, and never calls a token bad for want of keys.
func TestOperatorsOfAnIssuer(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	var published atomic.Bool
	idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !published.Load() {
			http.Error(w, "starting", http.StatusServiceUnavailable)
			return
		}
		public, err := jwkset.NewJWKFromKey(&key.PublicKey, jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: "k1", USE: jwkset.UseSig}})
		if err != nil {
			t.Error(err)
		}
		json.NewEncoder(w).Encode(jwkset.JWKSMarshal{Keys: []jwkset.JWKMarshal{public.Marshal()}})
	}))
	defer idp.Close()

	g := start(t, config{store: embedded(t)})
	const secret = "secret {env.HOOKGATE_TEST_SECRET}"
	configure := func(jwt, limit string) {
		text := strings.Replace(g.config.text(t, g.ports), secret, jwt, 1)
		g.write(strings.Replace(text, "connections ", limit+"\n\t\tconnections ", 1))
		g.Reload(reloaded)
	}
	configure("jwks_url "+idp.URL+"/jwks", "")

	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"tenant_id": tenantA, "roles": []string{"admin"}, "sub": "alice", "exp": time.Now().Add(time.Hour).Unix(),
	})
	token.Header["kid"] = "k1"
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	alice := operator{t, g, signed}
	for range 2 {
		a := alice.do(http.MethodGet, callbackCredentials, "")
		wantProblem(t, a, http.StatusServiceUnavailable, "HKG-2020")
		if wait, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || wait < 1 || wait > 10 {
			t.Errorf("Retry-After: %q", a.header["Retry-After"])
		}
	}
	wantProblem(t, g.operator(t, tenantA, "admin").do(http.MethodGet, callbackCredentials, ""), http.StatusUnauthorized, "HKG-2401")
	if !strings.Contains(g.Output.String(), `"the JWKS cannot be read","error":"status 503"`) {
		t.Error("the log does not say why")
	}

	published.Store(true)
	configure("jwks_url "+idp.URL+"/jwks\n\t\t\tmax_ttl 2h", "rate_limit 1 3") // without the keys' 10 s to wait for
	wantStatus(t, alice.do(http.MethodPost, callbackCredentials, `{}`), http.StatusCreated)
	idp.Close()
	wantStatus(t, alice.do(http.MethodGet, callbackCredentials, ""), http.StatusOK)

	var last answer
	hookgatetest.Eventually(t, "alice asks too often", func() bool {
		last = alice.do(http.MethodGet, callbackCredentials, "")
		return last.status == http.StatusTooManyRequests
	})
	wantProblem(t, last, http.StatusTooManyRequests, "HKG-2429")
	if last.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After: %q", last.header["Retry-After"])
	}
}
