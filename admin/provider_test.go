package admin_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/admin/signin"
)

// provider is an issuer at which everybody is signed in already: whoever is sent to it goes
// back at once, with a code for an id token of its claims.
type provider struct {
	*httptest.Server
	t      testing.TB
	time   time.Time
	down   bool
	claims jwt.MapClaims // over the usual ones
	answer string        // of the token endpoint, in place of the usual
	status int
	issued []string // what must be in no log and on no page
	begun  map[string]url.Values
}

const clientSecret = "client-secret-canary"

func newProvider(t testing.TB) *provider {
	t.Helper()
	p := &provider{t: t, time: now, begun: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		if p.down {
			http.Error(w, "out of order", http.StatusBadGateway)
			return
		}
		p.json(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
			"jwks_uri": p.URL + "/jwks", "id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"},
		})
	})
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
		p.json(w, map[string]any{"keys": []any{jwk(rsa2048, "k", nil)}})
	})
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(must(json.Marshal(v)))
}

// option makes a server sign in there, and live by its clock.
func (p *provider) option(change ...func(*signin.Config)) option {
	return func(c *admin.Config) {
		c.Now = func() time.Time { return p.time }
		c.JWT.RolesClaims, c.JWT.RoleMap = []string{"groups"}, map[string]bearer.Role{"hooks": bearer.RoleAdmin}
		c.JWT.Audiences = []string{"the-api"} // which is not for id tokens
		c.SignIn = &signin.Config{Issuer: p.URL, ClientID: "console", ClientSecret: clientSecret, Keys: sealKeys(p.t), SignedOut: signin.NewSignedOut()}
		for _, f := range change {
			f(c.SignIn)
		}
	}
}

// idToken signs an id token.
func (p *provider) idToken(changes jwt.MapClaims) string {
	claims := jwt.MapClaims{
		"iss": p.URL, "aud": "console", "sub": "alice", "exp": p.time.Add(5 * time.Minute).Unix(), "iat": p.time.Unix(),
		"tenant_id": tenantA.String(), "groups": []string{"hooks"},
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = "k"
	text := must(token.SignedString(rsa2048()))
	p.issued = append(p.issued, text)
	return text
}

// authorize is where the browser is sent; it returns what the issuer sends it back with.
func (p *provider) authorize(location string) url.Values {
	p.t.Helper()
	u, err := url.Parse(location)
	if err != nil || !strings.HasPrefix(location, p.URL+"/authorize?") {
		p.t.Fatalf("sent to %q", location)
	}
	asked := u.Query()
	for name, want := range map[string]string{"response_type": "code", "client_id": "console", "code_challenge_method": "S256", "scope": "openid profile email"} {
		if asked.Get(name) != want {
			p.t.Errorf("%s=%q, want %q", name, asked.Get(name), want)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(asked.Get(name)) < 43 {
			p.t.Errorf("%s=%q is short", name, asked.Get(name))
		}
	}
	code := fmt.Sprintf("code-canary-%d", len(p.begun))
	p.begun[code] = asked
	p.issued = append(p.issued, code)
	return url.Values{"state": asked["state"], "code": {code}}
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	asked, known := p.begun[r.FormValue("code")]
	digest := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	id, secret, _ := r.BasicAuth()
	p.issued = append(p.issued, r.FormValue("code_verifier"))
	delete(p.begun, r.FormValue("code")) // it is good once
	switch {
	case p.answer != "":
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(p.status)
		w.Write([]byte(p.answer))
	case !known || id != "console" || secret != clientSecret || r.FormValue("redirect_uri") != asked.Get("redirect_uri") ||
		base64.RawURLEncoding.EncodeToString(digest[:]) != asked.Get("code_challenge"):
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		p.json(w, map[string]any{"error": "invalid_grant"})
	default:
		claims := jwt.MapClaims{"nonce": asked.Get("nonce")}
		maps.Copy(claims, p.claims)
		p.json(w, map[string]any{"access_token": "access-canary", "token_type": "Bearer", "id_token": p.idToken(claims)})
	}
}

// visitor is a browser: it keeps cookies as one does.
type visitor struct {
	*server
	base    string
	cookies map[string]string
	set     map[string]*http.Cookie // as it was last set
}

func (s *server) visitor(base string) *visitor {
	return &visitor{server: s, base: base, cookies: map[string]string{}, set: map[string]*http.Cookie{}}
}

// do sends a request of the page with the visitor's cookies. Headers are names and values.
func (v *visitor) do(method, path, body string, headers ...string) answer {
	v.t.Helper()
	r := httptest.NewRequest(method, v.base+path, strings.NewReader(body))
	if strings.HasPrefix(v.base, "http:") {
		r.TLS = nil
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	for _, name := range slices.Sorted(maps.Keys(v.cookies)) {
		r.AddCookie(&http.Cookie{Name: name, Value: v.cookies[name]})
	}
	a := v.send(r)
	for _, c := range a.Cookies() {
		v.set[c.Name], v.cookies[c.Name] = c, c.Value
		if c.MaxAge < 0 {
			delete(v.cookies, c.Name)
		}
	}
	return a
}

// page is do as the console does it.
func (v *visitor) page(method, path, body string) answer {
	v.t.Helper()
	return v.do(method, path, body, "Origin", v.base, "X-Hookgate-Console", "1")
}

// comeBack begins a sign-in, changes what the issuer sends the browser back with, and
// follows.
func (v *visitor) comeBack(p *provider, change func(url.Values)) answer {
	v.t.Helper()
	begun := v.do("GET", "/console/login", "")
	if begun.StatusCode != http.StatusSeeOther {
		v.t.Fatalf("login: %d %s", begun.StatusCode, begun.body)
	}
	back := p.authorize(begun.Header.Get("Location"))
	if change != nil {
		change(back)
	}
	return v.do("GET", "/console/callback?"+back.Encode(), "")
}

func (v *visitor) signIn(p *provider) {
	v.t.Helper()
	if a := v.comeBack(p, nil); a.StatusCode != 200 || !strings.Contains(string(a.body), `content="0; url=../console"`) {
		v.t.Fatalf("callback: %d %s", a.StatusCode, a.body)
	}
}
