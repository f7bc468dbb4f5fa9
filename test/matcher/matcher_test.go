package matcher

import (
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

func TestV2(t *testing.T) {
	later, earlier := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Hour).Unix()
	claims := func(changes jwt.MapClaims) jwt.MapClaims {
		all := jwt.MapClaims{"tenant_id": tenant, "sub": "hookgate:x", "exp": later}
		for name, value := range changes {
			all[name] = value
			if value == nil {
				delete(all, name)
			}
		}
		return all
	}
	good := bearer(t, jwt.SigningMethodHS256, secret, claims(nil))
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
		{"tenant is no UUID", bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"tenant_id": "acme"})), exception, "k", resolved, 401, "MTCH-0003"},
		{"no tenant", bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"tenant_id": nil})), exception, "k", resolved, 403, "MTCH-0004"},
		{"another tenant", bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"tenant_id": DefaultTenant})), exception, "k", resolved, 404, "MTCH-0501"},
		{"no UUID", good, "7d4f", "k", resolved, 400, "MTCH-0001"},
		{"no key", good, exception, "", resolved, 400, "MTCH-0015"},
		{"bad key", good, exception, "a b", resolved, 400, "MTCH-0015"},
		{"no body", good, exception, "k", "", 400, "MTCH-0001"},
		{"bad status", good, exception, "k", strings.Replace(resolved, "RESOLVED", "OPEN", 1), 422, "MTCH-0503"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := &V2{Secret: secret, MultiTenant: true, Exceptions: map[string][]string{tenant: {exception}}}
			w := do(m, "POST", "/v1/exceptions/"+tc.exception+"/callback", tc.body, "Authorization", tc.authorization, "X-Idempotency-Key", tc.key)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.code) {
				t.Errorf("%d: %s", w.Code, w.Body)
			}
			if accepted, refused := m.Take(); len(accepted) != btoi(tc.status == 200) || len(refused) != btoi(tc.status != 200) {
				t.Errorf("accepted %v, refused %v", accepted, refused)
			}
		})
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
