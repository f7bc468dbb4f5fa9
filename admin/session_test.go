package admin_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/connections"
	"github.com/hookgate/hookgate/admin/signin"
	"github.com/hookgate/hookgate/credential/seal"
)

// TestSessionEnds: by itself, and for all its copies when its operator signs out.
func TestSessionEnds(t *testing.T) {
	alive := func(t *testing.T, v *visitor, want bool) {
		t.Helper()
		a := v.page("GET", "/v1/me", "")
		if (a.StatusCode == 200) != want {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		if !want {
			checkProblem(t, a, 401, "HKG-2401")
			if a.text(t, "detail") != "The session of the console has ended: sign in again." || v.cookies["hookgate"] != "" {
				t.Errorf("%s, and the cookie stays: %v", a.body, v.cookies)
			}
		}
	}
	for name, test := range map[string]func(*testing.T, *provider, *visitor){
		"idle": func(t *testing.T, p *provider, v *visitor) {
			p.time = p.time.Add(30*time.Minute - time.Second)
			alive(t, v, true)
			p.time = p.time.Add(30 * time.Minute)
			alive(t, v, false)
		},
		"after its longest time": func(t *testing.T, p *provider, v *visitor) {
			for range 12 * 3 {
				alive(t, v, true)
				p.time = p.time.Add(20 * time.Minute)
			}
			alive(t, v, false)
		},
		"signed out": func(t *testing.T, p *provider, v *visitor) {
			copied := maps.Clone(v.cookies)
			p.time = p.time.Add(5 * time.Minute)
			alive(t, v, true) // with a newer cookie
			later := maps.Clone(v.cookies)
			if later["hookgate"] == copied["hookgate"] {
				t.Error("the cookie was not written anew")
			}
			if a := v.page("POST", "/console/logout", ""); a.StatusCode != 204 || v.cookies["hookgate"] != "" {
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
			for _, cookies := range []map[string]string{copied, later} {
				v.cookies = maps.Clone(cookies)
				alive(t, v, false)
			}
			v.signIn(p)
			alive(t, v, true)
		},
		"changed": func(t *testing.T, _ *provider, v *visitor) {
			value := []byte(v.cookies["hookgate"])
			value[len(value)/2] ^= 1
			v.cookies["hookgate"] = string(value)
			alive(t, v, false)
		},
		"sealed elsewhere": func(t *testing.T, p *provider, v *visitor) {
			other := newServer(t, p.option(func(c *signin.Config) { c.Keys = must(seal.ParseKeys("BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=")) })).visitor(loopback)
			other.signIn(p)
			v.cookies = other.cookies
			alive(t, v, false)
		},
		"of another client": func(t *testing.T, p *provider, v *visitor) {
			other := newServer(t, p.option(func(c *signin.Config) { c.ClientID = "another" })).visitor(loopback)
			other.cookies = v.cookies
			alive(t, other, false)
		},
		"an older key": func(t *testing.T, p *provider, v *visitor) {
			other := newServer(t, p.option(func(c *signin.Config) {
				c.Keys = must(seal.ParseKeys("BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="))
			})).visitor(loopback)
			other.cookies = v.cookies
			alive(t, other, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t)
			v := newServer(t, p.option()).visitor(loopback)
			v.signIn(p)
			alive(t, v, true)
			test(t, p, v)
		})
	}
}

// TestSessionOfAnotherSite: whatever changes something must come from our own page.
func TestSessionOfAnotherSite(t *testing.T) {
	p := newProvider(t)
	s := newServer(t, p.option())
	v := s.visitor(loopback)
	v.signIn(p)
	for name, headers := range map[string][]string{
		"nothing":         nil,
		"no origin":       {"X-Hookgate-Console", "1"},
		"no header":       {"Origin", loopback},
		"another header":  {"Origin", loopback, "X-Hookgate-Console", "0"},
		"another origin":  {"Origin", "https://evil.example", "X-Hookgate-Console", "1"},
		"another port":    {"Origin", "http://127.0.0.1:8082", "X-Hookgate-Console", "1"},
		"another scheme":  {"Origin", "https://127.0.0.1:8081", "X-Hookgate-Console", "1"},
		"null":            {"Origin", "null", "X-Hookgate-Console", "1"},
		"two origins":     {"Origin", loopback, "Origin", "https://evil.example", "X-Hookgate-Console", "1"},
		"a form's origin": {"Origin", loopback, "Sec-Fetch-Site", "same-origin"},
	} {
		for _, path := range []string{"/v1/credentials", callbacksPath, createRecord, "/console/logout"} {
			a := v.do("POST", path, `{"kind":"callback"}`, headers...)
			code := "HKG-2026"
			if path == createRecord {
				code = "42501"
			}
			if a.StatusCode != 403 || a.text(t, "code") != code {
				t.Errorf("%s, %s: %d %s", name, path, a.StatusCode, a.body)
			}
		}
		if a := v.do("GET", "/v1/credentials", "", headers...); a.StatusCode != 200 {
			t.Errorf("%s: reading: %d", name, a.StatusCode)
		}
	}
	if a := v.page("POST", createRecord, newRecord("a", "a")); a.StatusCode != 200 {
		t.Errorf("our page: %d %s", a.StatusCode, a.body)
	}
	// A bearer token is no cookie: nobody sends it without meaning to.
	if a := v.do("POST", "/v1/credentials", `{"kind":"callback"}`, "Authorization", tokenOfAPI(t), "Origin", "https://evil.example"); a.StatusCode != 201 {
		t.Errorf("a bearer token: %d %s", a.StatusCode, a.body)
	}
	// One that is wrong is not made good by a cookie.
	if a := v.page("GET", "/v1/me", ""); a.StatusCode != 200 {
		t.Errorf("%d", a.StatusCode)
	}
	checkProblem(t, v.do("GET", "/v1/me", "", "Authorization", "Bearer x"), 401, "HKG-2401")
}

// TestSessionOfSeveralTenants: the choice is the same as for a token.
func TestSessionOfSeveralTenants(t *testing.T) {
	p := newProvider(t)
	p.claims = jwt.MapClaims{"tenant_id": []string{tenantA.String(), strings.ToUpper(tenantB.String())}}
	v := newServer(t, p.option()).visitor(loopback)
	v.signIn(p)
	checkProblem(t, v.page("GET", "/v1/credentials", ""), 403, "HKG-2021")
	for header, want := range map[string]int{tenantA.String(): 200, tenantB.String(): 200, uuid.NewString(): 403} {
		if a := v.do("GET", "/v1/credentials", "", "X-Hookgate-Tenant", header); a.StatusCode != want {
			t.Errorf("%s: %d", header, a.StatusCode)
		}
	}
}

// TestSessionHasNoTokenForMatcher: Matcher is asked in the operator's own name, or not.
func TestSessionHasNoTokenForMatcher(t *testing.T) {
	p := newProvider(t)
	matcher := must(connections.NewMatcher("http://127.0.0.1:1", time.Second, nil))
	v := newServer(t, p.option(), withConnections(matcher)).visitor(loopback)
	v.signIn(p)
	checkProblem(t, v.page("POST", "/v1/credentials", `{"kind":"webhook","vendor":"pluggy","connection":"main"}`), 403, "HKG-2027")
}
