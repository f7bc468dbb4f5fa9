package test

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
	"github.com/hookgate/hookgate/test/matcher"
)

// TestMatchersOtherRoutes runs what docs/matcher.md shows for them: Matcher judges who
// comes there by what they bring, and no spelling of a callback goes round the guard.
func TestMatchersOtherRoutes(t *testing.T) {
	t.Parallel()
	m := &matcher.V2{Secret: []byte(hookgatetest.JWTSecret), MultiTenant: true, Exceptions: map[string][]string{tenantA: {exceptionA}}}
	var mu sync.Mutex
	var seen []*http.Request
	front := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, r.Clone(t.Context()))
		mu.Unlock()
		m.ServeHTTP(w, r)
	})
	last := func() *http.Request {
		mu.Lock()
		defer mu.Unlock()
		if len(seen) == 0 {
			return nil
		}
		r := seen[len(seen)-1]
		seen = nil
		return r
	}
	whole, site := documented(t, "# In front of Matcher 2.x"), documented(t, "## Matcher's other routes")
	vendors := regexp.MustCompile(`(?ms)^http://:8080 \{\n.*?^\}\n`)
	if n := len(vendors.FindAllString(whole, -1)); n != 1 {
		t.Fatalf("%d sites for vendors", n)
	}
	s := onRedis(t)
	g := start(t, config{
		store: s, whole: vendors.ReplaceAllLiteralString(whole, site), upstream: serve(t, front),
		env: []string{"HOOKGATE_REDIS_URL=" + s.words, "AUTH_JWT_SECRET=" + hookgatetest.JWTSecret},
	})
	operator := g.operator(t, tenantA, "admin")
	c, body := operator.mintCallback("JIRA"), fixture(t, "matcher-callback.json")
	last()

	const connections = "/v1/discovery/connections"
	wantStatus(t, g.get(t, g.Vendors+connections, "Authorization: Bearer "+operator.jwt, "X-Tenant-Id: "+tenantB, "X_Hookgate_Kind: api"), http.StatusOK)
	switch r := last(); {
	case r.Header.Get("Authorization") != "Bearer "+operator.jwt:
		t.Error("Matcher does not get the operator's own JWT")
	case r.Header.Get("X-Tenant-Id") != "" || r.Header["X_hookgate_kind"] != nil:
		t.Errorf("Matcher gets %v", r.Header)
	}
	wantStatus(t, g.get(t, g.Vendors+connections), http.StatusUnauthorized)
	if last() == nil {
		t.Error("Matcher was not asked")
	}

	post := func(path string, headers ...string) answer {
		return g.post(t, g.Vendors+path, body, append(headers, "Content-Type: application/json")...)
	}
	wantStatus(t, post(callbackOf(exceptionA), "X-Callback-Token: "+c.token), http.StatusOK)
	accepted, _ := m.Take()
	wantDelivery(t, accepted, matcher.Delivery{Tenant: tenantA, Subject: "hookgate:" + c.id, Exception: exceptionA, Body: body})
	last()
	for _, path := range []string{
		callbackOf(exceptionA), callbackOf(exceptionA) + "/", strings.ToUpper(callbackOf(exceptionA)), callbackOf("x.y"), callbackOf("x") + "?y",
		"/v1/exceptions/" + exceptionA + "/CallBack", "/v1//exceptions/" + exceptionA + "/callback", "/v1/exceptions/" + exceptionA + "/%63allback",
		"/v1/./exceptions/" + exceptionA + "/callback", "/x/../v1/exceptions/" + exceptionA + "/callback",
	} {
		a := post(path, "Authorization: Bearer "+operator.jwt)
		if r := last(); r != nil && strings.Contains(strings.ToLower(r.URL.Path), "callback") {
			t.Errorf("%s reaches Matcher as %s", path, r.URL.Path)
		}
		if a.status < 400 {
			t.Errorf("%s: status %d", path, a.status)
		}
	}
}
