package test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// through are the server options of a gate that has its ingress on this machine:
// what tests say in X-Forwarded-For is who the client is.
var through = []string{"trusted_proxies static 127.0.0.1/32\n\t\ttrusted_proxies_strict"}

func signed(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "X-Signature: " + hex.EncodeToString(mac.Sum(nil))
}

func TestVendorAddresses(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, servers: through, guard: []string{
		"vendor belvo {\n\t\t\tallow_ips 3.130.254.46 2001:db8::/32\n\t\t}",
	}})
	admin := g.operator(t, tenantA, "admin")
	belvo, pluggy := admin.mintWebhook("belvo"), admin.mintWebhook("pluggy")
	for _, test := range []struct {
		name      string
		c         credential
		method    string
		forwarded string
		status    int
	}{
		{"on the list", belvo, "POST", "3.130.254.46", 200},
		{"on the list, mapped", belvo, "POST", "::ffff:3.130.254.46", 200},
		{"on the list, IPv6", belvo, "POST", "2001:db8::1", 200},
		{"on the list, forged on the left", belvo, "POST", "198.51.100.1, 3.130.254.46", 200},
		{"elsewhere", belvo, "POST", "3.130.254.47", 403},
		{"elsewhere, forged on the left", belvo, "POST", "3.130.254.46, 198.51.100.1", 403},
		{"no address", belvo, "POST", "unknown", 403},
		{"the ingress itself", belvo, "POST", "", 403},
		{"probe from elsewhere", belvo, "GET", "3.130.254.47", 403},
		{"probe from the list", belvo, "GET", "3.130.254.46", 204},
		{"another vendor", pluggy, "POST", "3.130.254.47", 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			var body io.Reader
			if test.method == "POST" {
				body = strings.NewReader("{}")
			}
			a := g.send(t, test.method, g.Vendors+test.c.path(), body, "X-Forwarded-For: "+test.forwarded)
			if test.status == http.StatusForbidden {
				wantProblem(t, a, http.StatusForbidden, "HKG-1403")
			}
			wantStatus(t, a, test.status)
			if test.status != http.StatusOK {
				u.wantNothing(t)
				return
			}
			u.one(t)
		})
	}
	if admin.find(belvo).LastUsedAt == "" {
		t.Error("a use does not count")
	}
}

// TestRefusedUseDoesNotCount: lastUsedAt is of uses that passed every check.
func TestRefusedUseDoesNotCount(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, guard: []string{
		"vendor belvo {\n\t\t\tallow_ips 198.51.100.1\n\t\t}",
		"vendor pluggy {\n\t\t\tsignature X-Signature {env.HOOKGATE_TEST_SECRET}\n\t\t}",
	}})
	admin := g.operator(t, tenantA, "admin")
	for _, c := range []credential{admin.mintWebhook("belvo"), admin.mintWebhook("pluggy")} {
		wantProblem(t, g.use(t, c), http.StatusForbidden, "HKG-1403")
		if used := admin.find(c).LastUsedAt; used != "" {
			t.Errorf("%s: used %s", c.vendor, used)
		}
	}
	u.wantNothing(t)
}

func TestVendorSignature(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	const old = "the-secret-before"
	g := start(t, config{store: embedded(t), upstream: u.addr, guard: []string{
		"max_body 1KB",
		"vendor pluggy {\n\t\t\tsignature x-signature {env.HOOKGATE_TEST_SECRET} " + old + "\n\t\t}",
	}})
	admin := g.operator(t, tenantA, "admin")
	w, other := admin.mintWebhook("pluggy"), admin.mintWebhook("belvo")
	const body = "{\"event\": \"paid\"}\r\n"
	long := strings.Repeat("x", 1001)
	good := signed(hookgatetest.JWTSecret, body)
	for _, test := range []struct {
		name    string
		body    string
		headers []string
		status  int
		code    string
	}{
		{"signed", body, []string{good}, 200, ""},
		{"signed with the old secret", body, []string{signed(old, body)}, 200, ""},
		{"signed in upper case", body, []string{"X-SIGNATURE: " + strings.ToUpper(strings.TrimPrefix(good, "X-Signature: "))}, 200, ""},
		{"signed and empty", "", []string{signed(hookgatetest.JWTSecret, "")}, 200, ""},
		{"largest body", long[:1000], []string{signed(hookgatetest.JWTSecret, long[:1000])}, 200, ""},
		{"not signed", body, nil, 403, "HKG-1403"},
		{"signed twice", body, []string{good, good}, 403, "HKG-1403"},
		{"signed with another secret", body, []string{signed("x", body)}, 403, "HKG-1403"},
		{"signature of another body", body, []string{signed(hookgatetest.JWTSecret, body+" ")}, 403, "HKG-1403"},
		{"not hexadecimal", body, []string{"X-Signature: x"}, 403, "HKG-1403"},
		{"too large", long, []string{signed(hookgatetest.JWTSecret, long)}, 413, "HKG-1413"},
	} {
		for _, chunked := range []bool{false, true} {
			t.Run(test.name+map[bool]string{true: ", chunked"}[chunked], func(t *testing.T) {
				conn := g.dial(t)
				lines := append([]string{"POST " + w.path() + "?q=1 HTTP/1.1", "Host: x"}, test.headers...)
				if chunked {
					conn.write(append(lines, "Transfer-Encoding: chunked")...)
					if test.body != "" {
						conn.Write([]byte(hexLength(test.body) + "\r\n" + test.body + "\r\n"))
					}
					conn.Write([]byte("0\r\n\r\n"))
				} else {
					conn.write(append(lines, "Content-Length: "+decimalLength(test.body))...)
					conn.Write([]byte(test.body))
				}
				a := conn.answer(http.MethodPost)
				if test.status != http.StatusOK {
					wantProblem(t, a, test.status, test.code)
					u.wantNothing(t)
					return
				}
				wantStatus(t, a, http.StatusOK)
				got := u.one(t)
				if got.body != test.body || got.broken {
					t.Errorf("at the upstream: %q", got.body)
				}
				wantIdentity(t, got, tenantA, w.id, identityOf(w))
			})
		}
	}
	t.Run("probe", func(t *testing.T) {
		wantStatus(t, g.get(t, g.Vendors+w.path()), http.StatusNoContent)
		u.wantNothing(t)
	})
	t.Run("another vendor", func(t *testing.T) {
		wantStatus(t, g.use(t, other), http.StatusOK)
		u.one(t)
	})
	t.Run("wrong token and no signature", func(t *testing.T) {
		wantProblem(t, g.post(t, g.Vendors+webhooksPath+"pluggy/"+plausible("mwh_", 1), body), 401, "HKG-1401")
		u.wantNothing(t)
	})
	t.Run("no signature and no body yet", func(t *testing.T) {
		conn := g.dial(t)
		conn.write("POST "+w.path()+" HTTP/1.1", "Host: x", "Content-Length: 10")
		wantProblem(t, conn.answer(http.MethodPost), 403, "HKG-1403")
		conn.wantEnd()
		u.wantNothing(t)
	})
	t.Run("asked to continue only with a signature", func(t *testing.T) {
		conn := g.dial(t)
		conn.write("POST "+w.path()+" HTTP/1.1", "Host: x", "Content-Length: "+decimalLength(body), "Expect: 100-continue", good)
		wantStatus(t, conn.answer(http.MethodPost), http.StatusContinue)
		conn.Write([]byte(body))
		wantStatus(t, conn.answer(http.MethodPost), http.StatusOK)
		if got := u.one(t); got.body != body {
			t.Errorf("at the upstream: %q", got.body)
		}
		conn = g.dial(t)
		conn.write("POST "+w.path()+" HTTP/1.1", "Host: x", "Content-Length: "+decimalLength(body), "Expect: 100-continue")
		wantProblem(t, conn.answer(http.MethodPost), 403, "HKG-1403")
	})
	t.Run("badly framed", func(t *testing.T) {
		before := admin.find(w).LastUsedAt
		conn := g.dial(t)
		conn.write("POST "+w.path()+" HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", good)
		conn.write("2", "{}", "no number") // framing that nobody can read on from
		wantProblem(t, conn.answer(http.MethodPost), http.StatusBadRequest, "HKG-1400")
		u.wantNothing(t)
		if after := admin.find(w).LastUsedAt; after != before {
			t.Error("a body that is badly framed counts as a use")
		}
		if metric(t, g, `hookgate_auth_requests_total{kind="webhook",outcome="signature",vendor="pluggy"}`) == 0 {
			t.Error("there were refusals of signatures, and no metric of them")
		}
	})
}
