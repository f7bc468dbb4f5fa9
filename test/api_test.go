package test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

func basicAuth(pair string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}

// mintAPI mints an api credential with the secret "secret of <client id>" and further
// members, and returns its id.
func (o operator) mintAPI(clientID, members string) string {
	o.t.Helper()
	body := fmt.Sprintf(`{"kind":"api","clientId":%q,"secretHash":"sha256:%x"%s}`, clientID, sha256.Sum256([]byte("secret of "+clientID)), members)
	a := o.do(http.MethodPost, "/v1/credentials", body)
	wantStatus(o.t, a, http.StatusCreated)
	var made struct{ ID string }
	if err := json.Unmarshal(a.body, &made); err != nil {
		o.t.Fatal(err)
	}
	return made.ID
}

// TestAPIPaths: the package guard tests what is decided, this that it is what the wire
// says.
func TestAPIPaths(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, guard: []string{
		"callback /v1/exceptions/{exceptionId}/callback",
		"api /partners/v2/orders/* products:read orders:write",
		"api /partners/* products:read",
		"max_body 1KB",
	}})
	admin := g.operator(t, tenantA, "admin")
	ids := map[string]string{
		"reader":    admin.mintAPI("reader", `,"label":"Partner","scopes":["products:read"]`),
		"writer":    admin.mintAPI("writer", `,"scopes":["orders:write","products:read","more"]`),
		"elsewhere": admin.mintAPI("elsewhere", `,"scopes":["products:read"],"allowedIps":["192.0.2.0/24"]`),
	}
	of := func(clientID string) string { return basicAuth(clientID + ":secret of " + clientID) }
	callback := admin.mintCallback("")
	for _, test := range []struct {
		name, method, target string
		headers              []string
		client               string // of an allowed request
		status               int
		code                 string
	}{
		{"GET", "GET", "/partners/v2/products?a=%2f//&b;c#d", []string{of("reader")}, "reader", 200, ""},
		{"rare bytes of a path", "PUT", "/partners/a-._~!$&'()*+,=:@b/", []string{of("reader")}, "reader", 200, ""},
		{"all scopes", "GET", "/partners/v2/orders/7", []string{of("writer")}, "writer", 200, ""},
		{"a scope is missing", "GET", "/partners/v2/orders/7", []string{of("reader")}, "", 403, "HKG-1403"},
		{"from elsewhere", "GET", "/partners/x", []string{of("elsewhere")}, "", 403, "HKG-1403"},
		{"wrong secret", "GET", "/partners/x", []string{basicAuth("reader:secret")}, "", 401, "HKG-1401"},
		{"nothing", "GET", "/partners/x", nil, "", 401, "HKG-1401"},
		{"not Basic", "GET", "/partners/x", []string{"Authorization: Bearer " + callback.token}, "", 401, "HKG-1401"},
		{"callback token", "GET", "/partners/x", []string{"X-Callback-Token: " + callback.token}, "", 401, "HKG-1401"},
		{"on a callback path", "POST", callbackPath, []string{of("reader")}, "", 401, "HKG-1401"},
		{"given twice", "GET", "/partners/x", []string{of("reader"), of("reader")}, "", 400, "HKG-1400"},
		{"token and Authorization", "GET", "/partners/x", []string{of("reader"), "X-Callback-Token: " + callback.token}, "", 400, "HKG-1400"},
		{"TRACE", "TRACE", "/partners/x", []string{of("reader")}, "", 405, "HKG-1405"},
		{"no such path", "GET", "/partner", []string{of("reader")}, "", 404, "HKG-1404"},
		{"the path before *", "GET", "/partners", []string{of("reader")}, "", 400, "HKG-1400"},
		{"too large", "GET", "/partners/x", []string{of("reader"), "Content-Length: 1001"}, "", 413, "HKG-1413"},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn := g.dial(t)
			conn.write(append([]string{test.method + " " + test.target + " HTTP/1.1", "Host: x", "X-Hookgate-Kind: forged"}, test.headers...)...)
			a := conn.answer(test.method)
			if test.client == "" {
				wantProblem(t, a, test.status, test.code)
				wantChallenge := ""
				if test.status == http.StatusUnauthorized {
					wantChallenge = `Basic realm="hookgate", charset="UTF-8"`
				}
				if test.target == callbackPath {
					wantChallenge = `Token realm="hookgate"`
				}
				if got := a.header.Get("WWW-Authenticate"); got != wantChallenge {
					t.Errorf("WWW-Authenticate: %q", got)
				}
				u.wantNothing(t)
				return
			}
			wantStatus(t, a, test.status)
			got := u.one(t)
			if got.method != test.method || got.target != test.target {
				t.Errorf("forwarded as %s %s", got.method, got.target)
			}
			wantIdentity(t, got, tenantA, ids[test.client], map[string]string{"X-Hookgate-Kind": "api"})
			wantHeader(t, got, "Authorization")
		})
	}
	for _, outcome := range []string{"allowed", "ambiguous", "method", "too_large", "missing", "malformed", "unknown", "kind", "source_ip", "scope"} {
		if metric(t, g, `hookgate_auth_requests_total{kind="api",outcome="`+outcome+`",vendor=""}`) == 0 {
			t.Errorf("no request counted as %s", outcome)
		}
	}
	wantMetric(t, g, `hookgate_auth_requests_total{kind="callback",outcome="kind",vendor=""}`, 1)
	log := g.Output.String()
	for clientID := range ids {
		if _, encoded, _ := strings.Cut(of(clientID), "Basic "); strings.Contains(log, encoded) || strings.Contains(log, "secret of") {
			t.Errorf("the log has the secret of %s", clientID)
		}
	}
	if !strings.Contains(log, `"route":"/partners/*"`) || strings.Contains(log, "/partners/v2/products") {
		t.Error("the log does not show the path as it is configured, and nothing else of it")
	}
}

// TestAPIPathWithoutRedis: an api credential is known or not as any other is.
func TestAPIPathWithoutRedis(t *testing.T) {
	t.Parallel()
	s := onRedis(t)
	u := newUpstream(t)
	g := start(t, config{store: s, upstream: u.addr, guard: []string{"api /*"}})
	client := basicAuth("client:secret of client")
	wantProblem(t, g.get(t, g.Vendors+"/a", client), http.StatusUnauthorized, "HKG-1401")
	g.operator(t, tenantA, "admin").mintAPI("client", "")
	wantStatus(t, g.get(t, g.Vendors+"/a", client), http.StatusOK)
	// With a path given, those of Matcher are not taken.
	wantStatus(t, g.post(t, g.Vendors+callbackPath, "{}", client), http.StatusOK)
	u.take()
	s.redis.Stop()
	wantStatus(t, g.get(t, g.Vendors+"/a", client), http.StatusOK)
	hookgatetest.Eventually(t, "an unknown pair is not decided on", func() bool {
		return g.get(t, g.Vendors+"/a", basicAuth("a:b")).status == http.StatusServiceUnavailable
	})
	wantProblem(t, g.get(t, g.Vendors+"/a", "Authorization: Basic x"), http.StatusUnauthorized, "HKG-1401")
}
