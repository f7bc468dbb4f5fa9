package test

import (
	"net/http"
	"strings"
	"testing"
)

// TestForwardingHeaders: the upstream is told one client address, and nobody but a
// trusted proxy has a say in what it is told of the client.
func TestForwardingHeaders(t *testing.T) {
	t.Parallel()
	forged := []string{
		"X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: forged", "X-Forwarded-Proto: forged", "X-Forwarded-Host: forged", "X-Forwarded-Port: forged",
		"Forwarded: for=forged", "X-Real-IP: forged", "True-Client-IP: forged", "CF-Connecting-IP: forged", "X-Client-IP: forged",
		"X_Forwarded_For: forged", "X.Real.IP: forged", "X-Url-Scheme: forged",
		"X-Tenant: forged", "Tenant-Id: forged", "X-TenantId: forged", "X-Userinfo: forged", "X-Uid: forged", "X-Login: forged", "X-Roles: forged", "X-Groups: forged",
		"X-Id-Token: forged", "X-Access-Token: forged", "X-Jwt-Assertion: forged", "X-Amzn-Oidc-Data: forged", "X-Goog-Iap-Jwt-Assertion: forged",
	}
	overriding := []string{
		"X-HTTP-Method-Override: DELETE", "X-HTTP-Method: DELETE", "X-Method-Override: DELETE", "X-Original-URL: /forged", "X-Rewrite-URL: /forged",
	}
	nominated := "Connection: X-Forwarded-For, X-Forwarded-Proto, X-Tenant-Id"
	for _, test := range []struct {
		name    string
		servers []string
		lines   []string
		want    map[string]string
	}{
		{"from anybody", nil, append(forged, overriding...), map[string]string{
			"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "hooks.example.com",
		}},
		{"from anybody, nominated", nil, []string{nominated}, map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http"}},
		{"from the ingress", through, append([]string{
			"X-Forwarded-For: 198.51.100.1, 203.0.113.9", "X-Forwarded-Proto: https", "X-Real-IP: forged", "True-Client-IP: forged", "X-Forwarded-User: forged", "Proxy-Client-IP: forged", "Forwarded: for=forged",
		}, overriding...), map[string]string{"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}},
		{"from the ingress, in several lines", through, []string{
			"X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 2001:db8::9",
		}, map[string]string{"X-Forwarded-For": "2001:db8::9", "X-Forwarded-Proto": "http"}},
		{"from the ingress, of no address", through, []string{"X-Forwarded-For: 198.51.100.1, unknown", "X-Forwarded-Proto: https"}, map[string]string{"X-Forwarded-Proto": "https"}},
		{"from the ingress itself", through, nil, map[string]string{"X-Forwarded-For": "127.0.0.1"}},
		{"from the ingress, nominated", through, []string{"X-Forwarded-For: 203.0.113.9", nominated}, map[string]string{"X-Forwarded-For": "203.0.113.9"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			g := start(t, config{store: embedded(t), upstream: u.addr, servers: test.servers})
			c := g.operator(t, tenantA, "admin").mintCallback("JIRA")
			conn := g.dial(t)
			conn.write(append(requestOf(c), append(test.lines, "Content-Length: 2")...)...)
			conn.Write([]byte("{}"))
			wantStatus(t, conn.answer(http.MethodPost), http.StatusOK)
			got := u.one(t)
			for name, want := range test.want {
				wantHeader(t, got, name, want)
			}
			if test.want["X-Forwarded-For"] == "" {
				wantHeader(t, got, "X-Forwarded-For")
			}
			for _, line := range overriding {
				name, _, _ := strings.Cut(line, ":")
				wantHeader(t, got, name)
			}
			if strings.Contains(got.String(), "forged") || strings.Contains(got.String(), "198.51.100.1") {
				t.Errorf("at the upstream:\n%s", got)
			}
			wantIdentity(t, got, tenantA, c.id, identityOf(c))
		})
	}
}
