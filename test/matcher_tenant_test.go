package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/test/hookgatetest"
	"github.com/hookgate/hookgate/test/matcher"
)

// matcher2 is a guard block for Matcher 2.x.
func matcher2(lines ...string) string {
	return "matcher 2 {\n\t\t\tjwt_secret {env.HOOKGATE_TEST_SECRET}\n\t\t\t" + strings.Join(lines, "\n\t\t\t") + "\n\t\t}"
}

// serve serves a handler until the test ends, and returns its host:port.
func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// TestTenantAsMinted: a credential works on the data that its operator sees at Matcher,
// which takes each spelling of a tenant for another one.
func TestTenantAsMinted(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		dashless := strings.ReplaceAll(tenantA, "-", "")
		m := &matcher.V2{Secret: []byte(hookgatetest.JWTSecret), Exceptions: map[string][]string{
			dashless: {exceptionA}, tenantA: {exceptionB}, matcher.DefaultTenant: {exceptionA, exceptionB},
		}}
		g := start(t, config{store: s, upstream: serve(t, m), guard: []string{matcher2()}})
		as := func(spelled string) operator {
			return operator{t, g, hookgatetest.SignJWT(t, jwt.MapClaims{"tenant_id": spelled, "roles": "admin", "sub": "test"})}
		}
		body := fixture(t, "matcher-callback.json")
		posted := 0 // each is another event
		post := func(t *testing.T, c credential, exception, tenant string) {
			t.Helper()
			wantStatus(t, g.post(t, g.Vendors+callbackOf(exception), body, "X-Callback-Token: "+c.token, fmt.Sprintf("X-Idempotency-Key: %d", posted)), http.StatusOK)
			posted++
			accepted, _ := m.Take()
			wantDelivery(t, accepted, matcher.Delivery{Tenant: tenant, Subject: "hookgate:" + c.id, Exception: exception, Body: body})
		}
		without, with := as(dashless).mintCallback("JIRA"), as(tenantA).mintCallback("JIRA")
		post(t, without, exceptionA, dashless)
		post(t, with, exceptionB, tenantA)

		// Who rotates it last says how; both see the same credentials.
		rotated := as(tenantA).rotate(without)
		post(t, rotated, exceptionB, tenantA)
		back := as(dashless).rotate(rotated)
		post(t, back, exceptionA, dashless)

		g.stop()
		g.Restart()
		post(t, back, exceptionA, dashless)
		imported := as(dashless).importDigest("minted.elsewhere", `"kind":"callback","label":"JIRA"`)
		post(t, imported, exceptionB, tenantA)
	})
}

// TestTenantSpelledAsConfigured: and one subject for all, which Matcher counts together.
func TestTenantSpelledAsConfigured(t *testing.T) {
	t.Parallel()
	dashless := strings.ReplaceAll(tenantA, "-", "")
	m := &matcher.V2{Secret: []byte(hookgatetest.JWTSecret), MultiTenant: true, Exceptions: map[string][]string{dashless: {exceptionA}}}
	g := start(t, config{store: embedded(t), upstream: serve(t, m), guard: []string{
		matcher2("tenant dashless", "subject hooks", "tenants "+tenantA), "vendor belvo {\n\t\t\tallow_ips 127.0.0.1\n\t\t}", "webhook /hooks/{vendor}/{token}",
	}})
	body := fixture(t, "matcher-callback.json")
	operator := g.operator(t, tenantA, "admin")
	c := operator.mintCallback("JIRA")
	wantStatus(t, g.post(t, g.Vendors+callbackOf(exceptionA), body, "X-Callback-Token: "+c.token), http.StatusOK)
	accepted, _ := m.Take()
	wantDelivery(t, accepted, matcher.Delivery{Tenant: dashless, Subject: "hooks", Exception: exceptionA, Body: body})
	wantProblem(t, g.operator(t, tenantB, "admin").do(http.MethodPost, callbackCredentials, "{}"), http.StatusForbidden, "HKG-2411")
}

// TestTenantNotServed: what a tenant had before it was taken off the list is refused.
func TestTenantNotServed(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	c := config{store: embedded(t), upstream: u.addr, guard: []string{matcher2("tenants " + tenantA + " " + tenantB)}}
	g := start(t, c)
	a, b := g.operator(t, tenantA, "admin").mintCallback("JIRA"), g.operator(t, tenantB, "admin").mintCallback("JIRA")
	g.use(t, b)
	wantHeader(t, u.one(t), "X-Tenant-Id", tenantB)
	c.guard = []string{matcher2("tenants " + tenantA)}
	g.write(c.text(t, g.ports))
	g.Reload(reloaded)
	wantStatus(t, g.use(t, a), http.StatusOK)
	u.one(t)
	wantProblem(t, g.use(t, b), http.StatusForbidden, "HKG-1403")
	u.wantNothing(t)
	if metric(t, g, `hookgate_auth_requests_total{kind="callback",outcome="tenant",vendor=""}`) != 1 {
		t.Error("it is not counted as what it is")
	}
}
