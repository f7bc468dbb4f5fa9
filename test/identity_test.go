package test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestIdentityCannotBeForged: whatever a client sends, the upstream gets the
// identity headers that the guard set, once each, and no trailer.
func TestIdentityCannotBeForged(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		u := newUpstream(t)
		g := start(t, config{store: s, upstream: u.addr})
		admin := g.operator(t, tenantA, "admin")
		c, w := admin.mintCallback("JIRA"), admin.mintWebhook("pluggy")
		ours := []string{
			"X-Tenant-Id", "X-Hookgate-Credential-Id", "X-Hookgate-Kind", "X-Hookgate-External-System",
			"X-Hookgate-Vendor", "X-Hookgate-Connection", "X-Hookgate-Anything",
		}
		spelled := func(spell func(string) string) (lines []string) {
			for _, name := range ours {
				lines = append(lines, spell(name)+": forged")
			}
			return lines
		}
		nominated := strings.Join(ours, ", ")
		for _, test := range []struct {
			name  string
			lines []string
		}{
			{"as ours", spelled(func(name string) string { return name })},
			{"lower case", spelled(strings.ToLower)},
			{"upper case", spelled(strings.ToUpper)},
			{"underscores", spelled(func(name string) string { return strings.ReplaceAll(name, "-", "_") })},
			{"dots", spelled(func(name string) string { return strings.ReplaceAll(name, "-", ".") })},
			{"mixed", spelled(func(name string) string { return strings.Replace(strings.ToUpper(name), "-", "_", 1) })},
			{"repeated", append(spelled(strings.ToLower), spelled(strings.ToUpper)...)},
			{"empty", []string{"X-Tenant-Id:", "X-Hookgate-Vendor:", "X-Hookgate-External-System:"}},
			{"nominated by Connection", []string{"Connection: " + nominated}},
			{"nominated and sent", append(spelled(strings.ToLower), "Connection: keep-alive, "+nominated)},
			{"nominated behind an empty Connection", []string{"Connection:", "Connection: X-Tenant-Id, X-Hookgate-Kind"}},
			{"nominated in several lines", []string{"Connection: close", "connection: x-tenant-id", "CONNECTION: ,X-HOOKGATE-KIND ,"}},
			{"nominated token header", []string{"Connection: X-Callback-Token, Authorization, Content-Length, Host"}},
			{"nominated by Proxy-Connection", []string{"Proxy-Connection: X-Tenant-Id"}},
			{"nominated by TE and Keep-Alive", []string{"TE: trailers", "Keep-Alive: X-Tenant-Id"}},
			{"forwarded by Caddy's names", []string{"X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4"}},
			{"Authorization, spelled oddly", []string{"authorization: Bearer x", "Proxy-Authorization: Bearer x"}},
		} {
			t.Run(test.name, func(t *testing.T) {
				for _, c := range []credential{c, w} {
					conn := g.dial(t)
					conn.write(append(requestOf(c), append(test.lines, "Content-Length: 2")...)...)
					conn.Write([]byte("{}"))
					wantStatus(t, conn.answer(http.MethodPost), http.StatusOK)
					got := u.one(t)
					if got.body != "{}" || strings.Contains(got.String(), "forged") {
						t.Errorf("at the upstream:\n%s", got)
					}
					wantIdentity(t, got, tenantA, c.id, identityOf(c))
					wantHeader(t, got, "Authorization")
				}
			})
		}
		for _, trailer := range []string{"X-Tenant-Id", "X-Hookgate-Kind", "x-hookgate-vendor", "X-Callback-Token", "X-Other", "Connection"} {
			for _, announced := range []bool{true, false} {
				name := "trailer " + trailer
				lines := []string{"Transfer-Encoding: chunked", "TE: trailers"}
				if announced && trailer != "Connection" {
					name, lines = name+", announced", append(lines, "Trailer: "+trailer)
				}
				t.Run(name, func(t *testing.T) {
					for _, c := range []credential{c, w} {
						conn := g.dial(t)
						conn.write(append(requestOf(c), lines...)...)
						conn.write("2", "{}", "0", trailer+": forged")
						wantStatus(t, conn.answer(http.MethodPost), http.StatusOK)
						got := u.one(t)
						if got.body != "{}" || len(got.trailer) > 0 || strings.Contains(got.String(), "forged") {
							t.Errorf("at the upstream:\n%s", got)
						}
						wantIdentity(t, got, tenantA, c.id, identityOf(c))
						wantHeader(t, got, "Trailer")
					}
				})
			}
		}
	})
}

// requestOf returns the first lines of a request with a credential.
func requestOf(c credential) []string {
	if c.vendor != "" {
		return []string{"POST " + c.path() + " HTTP/1.1", "Host: hooks.example.com"}
	}
	return []string{"POST " + callbackPath + " HTTP/1.1", "Host: hooks.example.com", "X-Callback-Token: " + c.token}
}

// identityOf returns the identity headers of the credentials minted above.
func identityOf(c credential) map[string]string {
	if c.vendor != "" {
		return map[string]string{
			"X-Hookgate-Kind": "webhook", "X-Hookgate-Vendor": c.vendor, "X-Hookgate-Connection": c.vendor + "-main",
		}
	}
	return map[string]string{"X-Hookgate-Kind": "callback", "X-Hookgate-External-System": "JIRA"}
}

func TestUpstreamDoesNotAnswer(t *testing.T) {
	t.Parallel()
	t.Run("unreachable", func(t *testing.T) {
		t.Parallel()
		g := start(t, config{store: embedded(t)})
		admin := g.operator(t, tenantA, "admin")
		for _, c := range []credential{admin.mintCallback(""), admin.mintWebhook("pluggy")} {
			wantProblem(t, g.use(t, c), http.StatusBadGateway, "HKG-1502")
		}
	})
	t.Run("too slow", func(t *testing.T) {
		t.Parallel()
		u := newUpstream(t)
		g := start(t, config{store: embedded(t), upstream: u.addr, patience: "200ms"})
		c := g.operator(t, tenantA, "admin").mintCallback("")
		u.answerWith(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(hookgatetest.Patience):
			}
		})
		wantProblem(t, g.use(t, c), http.StatusGatewayTimeout, "HKG-1504")
		u.answerWith(nil)
		wantStatus(t, g.use(t, c), http.StatusOK)
	})
	t.Run("hangs up", func(t *testing.T) {
		t.Parallel()
		u := newUpstream(t)
		g := start(t, config{store: embedded(t), upstream: u.addr})
		c := g.operator(t, tenantA, "admin").mintCallback("")
		u.answerWith(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		wantProblem(t, g.use(t, c), http.StatusBadGateway, "HKG-1502")
		if n := len(u.take()); n != 1 {
			t.Errorf("the upstream got the request %d times", n)
		}
	})
}
