package admin_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hookgate/hookgate/admin/connections"
	"github.com/hookgate/hookgate/store"
)

// fuzzServer has a store that is not started: what would reach it is a 503.
func fuzzServer(t testing.TB, options ...option) *server {
	t.Helper()
	dormant, err := store.New(store.Config{EmbeddedDir: "unused", Namespace: "hookgate"})
	if err != nil {
		t.Fatal(err)
	}
	return newServerOn(t, dormant, append(options, withConnections(connections.Any{}))...)
}

// FuzzBody: whatever the body, the answer is a problem of the contract and no 500.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{"", "{}", "null", `{"externalSystem":"a"}`, `{"a":1,"a":2}`, `{"vendor":"pluggy","connection_config_name":"x"}`, "\xff", `{"externalSystem":"\ud800"}`, "[[[["} {
		f.Add(seed, "application/json")
	}
	s, operator := fuzzServer(f), adminOf(f, tenantA)
	f.Fuzz(func(t *testing.T, body, contentType string) {
		s := s.within(t)
		for _, path := range []string{callbacksPath, tokensPath, callbacksPath + "/0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59/rotate"} {
			r := request("POST", path, body)
			r.Header.Set("Content-Type", contentType)
			r.Header.Set("Authorization", operator)
			a := s.send(r)
			conforms(t, "Detail", a.body)
			if a.StatusCode == 500 || a.StatusCode < 400 {
				t.Errorf("%s: %d\n%s", path, a.StatusCode, a.body)
			}
		}
	})
}

// FuzzAuthorization: nobody gets in without the secret.
func FuzzAuthorization(f *testing.F) {
	for _, seed := range []string{"", "Bearer", "Bearer a.b.c", "bearer eyJhbGciOiJub25lIn0.e30.", "Basic YTpi", "Bearer \x00", "Bearer .."} {
		f.Add(seed)
	}
	s := fuzzServer(f)
	f.Fuzz(func(t *testing.T, authorization string) {
		s := s.within(t)
		r := request("GET", callbacksPath, "")
		r.Header["Authorization"] = []string{authorization}
		a := s.send(r)
		conforms(t, "Detail", a.body)
		if a.StatusCode != 401 || a.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%q: %d\n%s", authorization, a.StatusCode, a.body)
		}
	})
}

// FuzzKeySet: whatever an issuer publishes, nobody gets in by it, and nothing breaks.
func FuzzKeySet(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"RSA","kid":"k","n":"AA","e":"AQAB"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","kid":"k","crv":"P-256","x":"AA","y":"AA"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"OKP","kid":"k","crv":"Ed25519","x":"AA","x5c":["AA"],"x5u":"http://a"}]}`))
	idp := newIssuer(f)
	s := fuzzServer(f, idp.option("RS256", "ES256", "EdDSA"))
	token := assemble(map[string]any{"alg": "RS256", "kid": "k"}, claimsWith(nil), zeros(256))
	f.Fuzz(func(t *testing.T, set []byte) {
		idp.respond(func(w http.ResponseWriter, _ *http.Request) { w.Write(set) })
		idp.later(10 * time.Second)
		if a := s.within(t).as(token, "GET", callbacksPath, ""); a.StatusCode != 401 && a.StatusCode != 503 {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
}
