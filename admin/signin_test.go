package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/admin/signin"
)

const loopback = "http://127.0.0.1:8081"

// secretsStay expects nothing secret in the log and in what a browser was shown.
func (p *provider) secretsStay(s *server, shown ...answer) {
	p.t.Helper()
	text := s.log.String()
	for _, a := range shown {
		text += string(a.body)
	}
	for _, secret := range append(p.issued, clientSecret, "access-canary") {
		if secret != "" && strings.Contains(text, secret) {
			p.t.Errorf("a secret is in the log or on a page: %.40q", secret)
		}
	}
}

func TestSignIn(t *testing.T) {
	for base, c := range map[string]struct {
		prefix string
		secure bool
		change func(*signin.Config)
	}{
		loopback:                       {"", false, nil},
		"http://localhost:8081":        {"", false, nil},
		"http://[::1]:8081":            {"", false, nil},
		"https://hookgate.example.com": {"__Host-", true, nil},
		"https://ended.example.com":    {"__Host-", true, func(c *signin.Config) { c.RedirectURL = "https://ended.example.com/console/callback" }},
	} {
		t.Run(base, func(t *testing.T) {
			p := newProvider(t)
			change := func(*signin.Config) {}
			if c.change != nil {
				change = c.change
			}
			s := newServer(t, p.option(change))
			v := s.visitor(base)
			begun := v.do("GET", "/console/login", "")
			attempt := v.set[c.prefix+"hookgate-signin"]
			if attempt == nil || !attempt.HttpOnly || attempt.Secure != c.secure || attempt.SameSite != http.SameSiteLaxMode || attempt.MaxAge != 600 || attempt.Path != "/" || attempt.Domain != "" {
				t.Errorf("the cookie of the attempt is %+v", attempt)
			}
			back := p.authorize(begun.Header.Get("Location"))
			ended := v.do("GET", "/console/callback?"+back.Encode(), "")
			session := v.set[c.prefix+"hookgate"]
			if ended.StatusCode != 200 || session == nil || !session.HttpOnly || session.Secure != c.secure || session.SameSite != http.SameSiteStrictMode || session.MaxAge != 0 || session.Path != "/" || session.Domain != "" {
				t.Fatalf("%d, the cookie of the session is %+v\n%s", ended.StatusCode, session, ended.body)
			}
			if _, left := v.cookies[c.prefix+"hookgate-signin"]; left {
				t.Error("the attempt is still there")
			}
			for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"} {
				if got := ended.Header.Get(name); got != want {
					t.Errorf("%s: %q", name, got)
				}
			}
			me := v.page("GET", "/v1/me", "")
			if got := string(me.body); !strings.Contains(got, `"subject":"alice","role":"admin","tenant":"`+tenantA.String()) || !strings.Contains(got, `"expiresAt":"2026-01-02T15:04:05Z"`) {
				t.Errorf("I am %s", got)
			}
			if a := v.page("POST", "/v1/credentials", `{"kind":"callback","label":"JIRA"}`); a.StatusCode != 201 {
				t.Errorf("mint: %d %s", a.StatusCode, a.body)
			}
			if actor := s.must(200, tokenOfAPI(t), "GET", "/v1/audit", "").list(t, "entries")[0]["actor"]; actor != "alice" {
				t.Errorf("the audit log says %v", actor)
			}
			for _, cookie := range []*http.Cookie{attempt, session} {
				if strings.Contains(cookie.Value, "alice") {
					t.Error("a cookie can be read")
				}
				p.issued = append(p.issued, cookie.Value)
			}
			p.secretsStay(s, ended, me)
		})
	}
}

// tokenOfAPI is a bearer token of the admin of tenant A, where jwt has an audience and
// roles of its own.
func tokenOfAPI(t testing.TB) string {
	return tokenFor(t, jwt.MapClaims{"tenant_id": tenantA.String(), "groups": "admin", "aud": "the-api"})
}

func TestSignInIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		back   func(url.Values)
		claims jwt.MapClaims
		answer string
		status int // of the token endpoint
		change func(*admin.Config)
		before func(*provider, *visitor)
		want   int
		code   string
		says   string
	}{
		"wrong state":        {back: func(q url.Values) { q.Set("state", "x") }, want: 400, code: "HKG-2024"},
		"no state":           {back: func(q url.Values) { q.Del("state") }, want: 400, code: "HKG-2024"},
		"two states":         {back: func(q url.Values) { q.Add("state", q.Get("state")) }, want: 400, code: "HKG-2024"},
		"another issuer":     {back: func(q url.Values) { q.Set("iss", "https://evil.example") }, want: 403, code: "HKG-2025"},
		"no code":            {back: func(q url.Values) { q.Del("code") }, want: 403, code: "HKG-2025"},
		"another code":       {back: func(q url.Values) { q.Set("code", "stolen") }, want: 403, code: "HKG-2023", says: "invalid_grant"},
		"refused":            {back: func(q url.Values) { q.Set("error", "access_denied"); q.Set("error_description", "<b>Not</b> you\n") }, want: 403, code: "HKG-2023", says: "It says access_denied. &lt;b&gt;Not&lt;/b&gt; you"},
		"refused oddly":      {back: func(q url.Values) { q.Set("error", "<script>") }, want: 403, code: "HKG-2023", says: "It says error."},
		"nonce of another":   {claims: jwt.MapClaims{"nonce": "x"}, want: 403, code: "HKG-2025", says: "another sign-in"},
		"no nonce":           {claims: jwt.MapClaims{"nonce": nil}, want: 403, code: "HKG-2025", says: "another sign-in"},
		"another audience":   {claims: jwt.MapClaims{"aud": "another"}, want: 403, code: "HKG-2025", says: "audience"},
		"jwt's audience":     {claims: jwt.MapClaims{"aud": "the-api"}, want: 403, code: "HKG-2025", says: "audience"},
		"another client":     {claims: jwt.MapClaims{"aud": []string{"console", "b"}, "azp": "b"}, want: 403, code: "HKG-2025", says: "another client"},
		"iss of another":     {claims: jwt.MapClaims{"iss": "https://evil.example"}, want: 403, code: "HKG-2025", says: "issuer"},
		"expired":            {claims: jwt.MapClaims{"exp": now.Add(-time.Hour).Unix()}, want: 403, code: "HKG-2025", says: "expired"},
		"no tenant":          {claims: jwt.MapClaims{"tenant_id": nil}, want: 403, code: "HKG-2001"},
		"tenant is no UUID":  {claims: jwt.MapClaims{"tenant_id": "acme"}, want: 403, code: "HKG-2025", says: "tenant claim"},
		"no role":            {claims: jwt.MapClaims{"groups": []string{"others"}}, want: 403, code: "HKG-2403"},
		"sub of ours":        {claims: jwt.MapClaims{"sub": "hookgate:x"}, want: 403, code: "HKG-2025", says: "subject"},
		"too many tenants":   {claims: jwt.MapClaims{"tenant_id": manyTenants(100)}, want: 403, code: "HKG-2029"},
		"no id token":        {answer: `{"access_token":"access-canary","token_type":"Bearer"}`, status: 200, want: 403, code: "HKG-2025", says: "no id token"},
		"token is no JWT":    {answer: `{"access_token":"access-canary","token_type":"Bearer","id_token":"access-canary"}`, status: 200, want: 403, code: "HKG-2025"},
		"wrong secret":       {answer: `{"error":"invalid_client","error_description":"access-canary"}`, status: 401, want: 403, code: "HKG-2023", says: "invalid_client"},
		"issuer broken":      {answer: `access-canary`, status: 500, want: 503, code: "HKG-2022"},
		"no JSON":            {answer: `access-canary`, status: 200, want: 503, code: "HKG-2022"},
		"of another browser": {before: func(p *provider, v *visitor) { clear(v.cookies) }, want: 400, code: "HKG-2024"},
		"attempt is a session": {before: func(p *provider, v *visitor) {
			other := v.server.visitor(loopback)
			other.signIn(p)
			v.cookies["hookgate-signin"] = other.cookies["hookgate"]
		}, want: 400, code: "HKG-2024"},
		"too late": {before: func(p *provider, _ *visitor) { p.time = p.time.Add(10 * time.Minute) }, want: 400, code: "HKG-2024"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t)
			s := newServer(t, p.option())
			v := s.visitor(loopback)
			p.claims, p.answer, p.status = c.claims, c.answer, c.status
			begun := v.do("GET", "/console/login", "")
			back := p.authorize(begun.Header.Get("Location"))
			if c.back != nil {
				c.back(back)
			}
			if c.before != nil {
				c.before(p, v)
			}
			a := v.do("GET", "/console/callback?"+back.Encode(), "")
			body := string(a.body)
			if a.StatusCode != c.want || !strings.Contains(body, c.code) || !strings.Contains(body, c.says) || !strings.Contains(body, a.Header.Get("X-Request-Id")) {
				t.Errorf("%d, want %d %s %q\n%s", a.StatusCode, c.want, c.code, c.says, body)
			}
			if a.StatusCode == 503 && a.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			if strings.Contains(body, "<script") || v.cookies["hookgate"] != "" {
				t.Errorf("signed in, or marked up: %s", body)
			}
			if me := v.page("GET", "/v1/me", ""); me.StatusCode != 401 {
				t.Errorf("I am %s", me.body)
			}
			// The attempt was good for one try.
			if again := v.do("GET", "/console/callback?"+back.Encode(), ""); again.StatusCode != 400 {
				t.Errorf("a second try: %d", again.StatusCode)
			}
			p.secretsStay(s, a)
		})
	}
}

func manyTenants(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = uuid.NewString()
	}
	return all
}

// TestSignInNeedsTLS: over plain HTTP from another machine nobody signs in.
func TestSignInNeedsTLS(t *testing.T) {
	p := newProvider(t)
	s := newServer(t, p.option())
	v := s.visitor("http://hookgate.internal:8081")
	for _, path := range []string{"/console/login", "/console/callback?state=x&code=y"} {
		if a := v.do("GET", path, ""); a.StatusCode != 403 || !strings.Contains(string(a.body), "HKG-2028") || len(a.Cookies()) > 0 {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
		}
	}
	home := s.visitor(loopback)
	home.signIn(p)
	v.cookies = home.cookies
	if a := v.page("GET", "/v1/me", ""); a.StatusCode != 401 {
		t.Errorf("a session over plain HTTP: %d", a.StatusCode)
	}
}

// TestIssuerIsReadWhenNeeded: loading does not need it, and a failure is not asked for
// again at once.
func TestIssuerIsReadWhenNeeded(t *testing.T) {
	p := newProvider(t)
	p.down = true
	s := newServer(t, p.option())
	v := s.visitor(loopback)
	s.must(200, tokenOfAPI(t), "GET", "/v1/me", "")
	for range 2 {
		if a := v.do("GET", "/console/login", ""); a.StatusCode != 503 || !strings.Contains(string(a.body), "HKG-2022") || a.Header.Get("Retry-After") == "" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		p.down = false
	}
	p.time = p.time.Add(5 * time.Second)
	v.signIn(p)
	if got := strings.Count(s.log.String(), "the issuer of the sign-in cannot be used"); got != 1 {
		t.Errorf("logged %d times", got)
	}
}

// TestIDTokenAsBearer: what the command line signs in with. It is told from a token of
// jwt by what it says, and verified by the issuer's keys.
func TestIDTokenAsBearer(t *testing.T) {
	p := newProvider(t)
	s := newServer(t, p.option())
	s.must(200, "Bearer "+p.idToken(nil), "GET", "/v1/me", "")
	s.must(201, "Bearer "+p.idToken(nil), "POST", "/v1/credentials", `{"kind":"callback"}`)
	s.must(200, tokenOfAPI(t), "GET", "/v1/me", "")
	for name, token := range map[string]string{
		"another audience": p.idToken(jwt.MapClaims{"aud": "another"}),
		"another client":   p.idToken(jwt.MapClaims{"azp": "another"}),
		"expired":          p.idToken(jwt.MapClaims{"exp": now.Add(-time.Hour).Unix()}),
		"another issuer":   p.idToken(jwt.MapClaims{"iss": "https://evil.example"}),
		"our secret":       signed(t, jwt.SigningMethodHS256, jwt.MapClaims{"iss": p.URL, "aud": "console", "tenant_id": tenantA.String(), "groups": "admin", "exp": now.Add(time.Hour).Unix()}, secret),
	} {
		if a := s.as("Bearer "+token, "GET", "/v1/me", ""); a.StatusCode != 401 {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	p.down = true
	down := newServer(t, p.option())
	checkProblem(t, down.as("Bearer "+p.idToken(nil), "GET", "/v1/me", ""), 503, "HKG-2020")
}

func TestWhereToSignIn(t *testing.T) {
	p := newProvider(t)
	with, without := newServer(t, p.option()), newServer(t)
	if got, want := strings.TrimSpace(string(with.must(200, "", "GET", "/console/sign-in", "").body)), `{"issuer":"`+p.URL+`","clientId":"console","scopes":["openid","profile","email"]}`; got != want {
		t.Errorf("got %s", got)
	}
	if got := strings.TrimSpace(string(without.must(200, "", "GET", "/console/sign-in", "").body)); got != `{}` {
		t.Errorf("got %s", got)
	}
	checkProblem(t, without.as("", "GET", "/console/login", ""), 404, "HKG-2404")
}

func TestUnusableSignIn(t *testing.T) {
	usable := newServer(t).store
	for name, change := range map[string]func(*signin.Config){
		"no issuer":        func(c *signin.Config) { c.Issuer = "" },
		"no scheme":        func(c *signin.Config) { c.Issuer = "idp.example.com" },
		"http":             func(c *signin.Config) { c.Issuer = "http://idp.example.com" },
		"its document":     func(c *signin.Config) { c.Issuer += "/.well-known/openid-configuration" },
		"password in it":   func(c *signin.Config) { c.Issuer = "https://u:p@idp.example.com" },
		"no client":        func(c *signin.Config) { c.ClientID = "" },
		"no openid":        func(c *signin.Config) { c.Scopes = []string{"profile"} },
		"redirect by http": func(c *signin.Config) { c.RedirectURL = "http://hookgate.example.com/console/callback" },
		"redirect to path": func(c *signin.Config) { c.RedirectURL = "/console/callback" },
		"idle beyond max":  func(c *signin.Config) { c.Idle, c.Max = 2*time.Hour, time.Hour },
	} {
		config := admin.Config{Store: usable, JWT: bearer.Config{Secrets: [][]byte{secret}}, SignIn: &signin.Config{
			Issuer: "https://idp.example.com", ClientID: "console", Keys: sealKeys(t), SignedOut: signin.NewSignedOut(),
		}}
		change(config.SignIn)
		if api, err := admin.New(config); err == nil {
			api.Close()
			t.Errorf("%s: it loads", name)
		}
	}
}
