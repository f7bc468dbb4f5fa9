package matcher

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	tenant    = "0199d5a4-0000-7000-8000-00000000000a"
	exception = "7d4f5c1e-0000-4000-8000-00000000000a"
	resolved  = `{"externalSystem":"JIRA","externalIssueId":"RECON-1","status":"RESOLVED"}`
)

var secret = []byte("0123456789abcdef0123456789abcdef")

func bearer(t *testing.T, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + token
}

func do(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = "10.0.0.1:1234"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// claims are those of a JWT that 2.x takes, with changes; nil takes one away.
func claims(changes jwt.MapClaims) jwt.MapClaims {
	all := jwt.MapClaims{"tenant_id": tenant, "sub": "hookgate:x", "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range changes {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	return all
}

func TestV2(t *testing.T) {
	later, earlier := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Hour).Unix()
	good := bearer(t, jwt.SigningMethodHS256, secret, claims(nil))
	status := func(s string) string { return strings.Replace(resolved, "RESOLVED", s, 1) }
	for _, tc := range []struct {
		name          string
		authorization string
		exception     string
		key           string
		body          string
		status        int
		code          string
	}{
		{"accepted", good, exception, "k", resolved, 200, ""},
		{"HS512", bearer(t, jwt.SigningMethodHS512, secret, claims(nil)), exception, "k", resolved, 200, ""},
		{"tenantId", bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"tenant_id": nil, "tenantId": tenant})), exception, "k", resolved, 200, ""},
		{"assigned", good, exception, "k", strings.Replace(resolved, `"RESOLVED"`, `"ASSIGNED","assignee":"a"`, 1), 200, ""},
		{"no JWT", "", exception, "k", resolved, 401, "MTCH-0003"},
		{"token", "Bearer mcb_x", exception, "k", resolved, 401, "MTCH-0003"},
		{"another secret", bearer(t, jwt.SigningMethodHS256, []byte("another"), claims(nil)), exception, "k", resolved, 401, "MTCH-0003"},
		{"none", bearer(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil)), exception, "k", resolved, 401, "MTCH-0003"},
		{"expired", bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"exp": earlier})), exception, "k", resolved, 401, "MTCH-0003"},
		{"no exp", bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"exp": nil})), exception, "k", resolved, 401, "MTCH-0003"},
		{"not yet", bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"nbf": later})), exception, "k", resolved, 401, "MTCH-0003"},
		{"user without an owner", bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"type": "normal-user"})), exception, "k", resolved, 401, "MTCH-0003"},
		{"tenant is no UUID", bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"tenant_id": "acme"})), exception, "k", resolved, 401, "MTCH-0003"},
		{"no tenant", bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"tenant_id": nil})), exception, "k", resolved, 403, "MTCH-0004"},
		{"another tenant", bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"tenant_id": DefaultTenant})), exception, "k", resolved, 404, "TENANT_NOT_FOUND"},
		{"another spelling", bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"tenant_id": dashless})), exception, "k", resolved, 404, "TENANT_NOT_FOUND"},
		{"no UUID", good, "7d4f", "k", resolved, 400, "MTCH-0001"},
		{"another exception", good, DefaultTenant, "k", resolved, 404, "MTCH-0501"},
		{"no key", good, exception, "", resolved, 400, "MTCH-0001"},
		{"bad key", good, exception, "a b", resolved, 400, "MTCH-0015"},
		{"no body", good, exception, "k", "", 400, "MTCH-0001"},
		{"nobody assigned", good, exception, "k", status("ASSIGNED"), 400, "MTCH-0001"},
		{"unknown status", good, exception, "k", status("CLOSED"), 500, "MTCH-0002"},
		{"long external system", good, exception, "k", strings.Replace(resolved, "JIRA", strings.Repeat("J", 300), 1), 500, "MTCH-0002"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := &V2{Secret: secret, MultiTenant: true, Exceptions: map[string][]string{tenant: {exception}}}
			w := do(m, "POST", "/v1/exceptions/"+tc.exception+"/callback", tc.body, "Authorization", tc.authorization, "X-Idempotency-Key", tc.key)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.code) || w.Header().Get("X-Idempotency-Replayed") != "" {
				t.Errorf("%d: %v %s", w.Code, w.Header(), w.Body)
			}
			if accepted, refused := m.Take(); len(accepted) != btoi(tc.status == 200) || len(refused) != btoi(tc.status != 200) {
				t.Errorf("accepted %v, refused %v", accepted, refused)
			}
		})
	}
}

const callbackPath = "/v1/exceptions/" + exception + "/callback"

// dashless is how some spell tenant.
var dashless = strings.ReplaceAll(tenant, "-", "")

func TestV2Repeats(t *testing.T) {
	m := &V2{Exceptions: map[string][]string{DefaultTenant: {exception}}} // without authorisation
	post := func(key string) *httptest.ResponseRecorder {
		return do(m, "POST", callbackPath, resolved, "X-Idempotency-Key", key)
	}
	m.Begin(DefaultTenant, "JIRA", exception, "k")
	if w := post("k"); w.Code != 409 || !strings.Contains(w.Body.String(), "MTCH-0018") || w.Header().Get("Retry-After") != "" {
		t.Errorf("while it is processed: %d %s", w.Code, w.Body)
	}
	m.End(DefaultTenant, "JIRA", exception, "k")
	if w := post("k"); w.Code != 200 || w.Header().Get("X-Idempotency-Replayed") != "" {
		t.Errorf("the first: %d %v", w.Code, w.Header())
	}
	if w := post("k"); w.Code != 200 || w.Header().Get("X-Idempotency-Replayed") != "true" {
		t.Errorf("the second: %d %v", w.Code, w.Header())
	}
	if w := do(m, "POST", callbackPath, strings.Replace(resolved, `"RESOLVED"`, `"ASSIGNED","assignee":"a"`, 1), "X-Idempotency-Key", "back"); w.Code != 500 {
		t.Errorf("back from RESOLVED: %d %s", w.Code, w.Body)
	}
	if accepted, _ := m.Take(); len(accepted) != 1 {
		t.Errorf("accepted %v", accepted)
	}
}

func TestV2Limits(t *testing.T) {
	m := &V2{Secret: secret, Exceptions: map[string][]string{tenant: {exception}}}
	post := func(subject, system, key string) *httptest.ResponseRecorder {
		authorization := bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"sub": subject}))
		return do(m, "POST", callbackPath, strings.Replace(resolved, "JIRA", system, 1), "Authorization", authorization, "X-Idempotency-Key", key)
	}
	for i := range 50 {
		key := "k"
		if i < 10 {
			key = fmt.Sprint(i) // the others are replays, and count at one limit only
		}
		if w := post("one", "JIRA", key); w.Code != 200 {
			t.Fatalf("%d: %d %s", i, w.Code, w.Body)
		}
	}
	if w := post("one", "JIRA", "k"); w.Code != 429 || !strings.Contains(w.Body.String(), `"code":429`) || w.Header().Get("Retry-After") != "57" {
		t.Errorf("the 51st of a sub: %d %v %s", w.Code, w.Header(), w.Body)
	}
	for i := 11; i < 60; i++ {
		if w := post(fmt.Sprint(i), "jira", fmt.Sprint(i)); w.Code != 200 {
			t.Fatalf("%d: %d %s", i, w.Code, w.Body)
		}
	}
	if w := post("another", "Jira", "another"); w.Code != 429 || !strings.Contains(w.Body.String(), "MTCH-0506") || w.Header().Get("Retry-After") != "" {
		t.Errorf("the 61st of an external system: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := post("another", "SD", "another"); w.Code != 200 {
		t.Errorf("another external system: %d %s", w.Code, w.Body)
	}
}

// TestV2Tenants: with MULTI_TENANT_ENABLED off, any tenant but one whose schema is there
// under exactly that name is the default tenant.
func TestV2Tenants(t *testing.T) {
	m := &V2{Secret: secret, Exceptions: map[string][]string{dashless: {}, DefaultTenant: {exception}}}
	for claim, want := range map[string]int{tenant: 200, dashless: 404, strings.ToUpper(dashless): 200} {
		w := do(m, "POST", callbackPath, resolved, "X-Idempotency-Key", claim, "Authorization", bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"tenant_id": claim})))
		if w.Code != want {
			t.Errorf("%s: %d %s", claim, w.Code, w.Body)
		}
	}
	accepted, _ := m.Take()
	for _, delivery := range accepted {
		if delivery.Tenant != DefaultTenant {
			t.Errorf("accepted for %s", delivery.Tenant)
		}
	}
}

// TestV2Authorisation: its refusals are text, and it is asked about the one role that all
// applications have.
func TestV2Authorisation(t *testing.T) {
	for _, status := range []int{401, 403} {
		var asked string
		m := &V2{Secret: secret, Exceptions: map[string][]string{tenant: {exception}}, Authorise: func(subject string) int {
			asked = subject
			return status
		}}
		for extra, want := range map[string]string{"application": "admin/matcher-editor-role", "normal-user": "lerian/hookgate:x"} {
			authorization := bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"type": extra, "owner": "lerian"}))
			w := do(m, "POST", callbackPath, resolved, "X-Idempotency-Key", "k", "Authorization", authorization)
			if w.Code != status || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") || asked != want {
				t.Errorf("%d: %v %s, asked about %s", w.Code, w.Header(), w.Body, asked)
			}
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestV4(t *testing.T) {
	m := &V4{Secret: secret, TrustedProxies: []string{"10.0.0.1"}, Providers: map[string]Provider{"belvo": {AllowIPs: []string{"3.130.254.46"}}}}
	callback, webhook := m.MintCallback(tenant), m.MintWebhook(tenant, "belvo", "main")
	for _, tc := range []struct {
		name    string
		path    string
		headers []string
		status  int
	}{
		{"callback", "/v1/exceptions/x/callback", []string{"X-Callback-Token", callback}, 200},
		{"callback without a token", "/v1/exceptions/x/callback", nil, 401},
		{"callback with a webhook's token", "/v1/exceptions/x/callback", []string{"X-Callback-Token", webhook}, 401},
		{"webhook", "/v1/discovery/webhooks/belvo/" + webhook, []string{"X-Forwarded-For", "3.130.254.46"}, 202},
		{"webhook with a callback's token", "/v1/discovery/webhooks/belvo/" + callback, []string{"X-Forwarded-For", "3.130.254.46"}, 401},
		{"webhook of another provider", "/v1/discovery/webhooks/pluggy/" + webhook, []string{"X-Forwarded-For", "3.130.254.46"}, 401},
		{"webhook from elsewhere", "/v1/discovery/webhooks/belvo/" + webhook, []string{"X-Forwarded-For", "6.6.6.6"}, 403},
		{"webhook with a list", "/v1/discovery/webhooks/belvo/" + webhook, []string{"X-Forwarded-For", "3.130.254.46, 6.6.6.6"}, 403},
		{"webhook from the proxy itself", "/v1/discovery/webhooks/belvo/" + webhook, nil, 403},
	} {
		if w := do(m, "POST", tc.path, "{}", tc.headers...); w.Code != tc.status {
			t.Errorf("%s: %d: %s", tc.name, w.Code, w.Body)
		}
	}
	m.Revoke(callback)
	if w := do(m, "POST", "/v1/exceptions/x/callback", "{}", "X-Callback-Token", callback); w.Code != 401 {
		t.Errorf("revoked: %d", w.Code)
	}
}
