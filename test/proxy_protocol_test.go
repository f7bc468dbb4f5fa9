package test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestProxyProtocol: behind a load balancer that says in the PROXY protocol who the
// client is, every connection is read as such, before and after a reload. In the order
// in which that could not be, nothing loads.
func TestProxyProtocol(t *testing.T) {
	t.Parallel()
	right := []string{"hookgate", "proxy_protocol {", "allow 127.0.0.1/32", "}", "tls"}
	g := start(t, config{store: embedded(t), upstream: newUpstream(t).addr, wrappers: right})
	admin := g.operator(t, tenantA, "admin")
	const client = "203.0.113.9"
	a := admin.do(http.MethodPost, "/v1/credentials", `{"kind":"callback","allowedIps":["`+client+`"]}`)
	var bound struct{ Token string }
	if err := json.Unmarshal(a.body, &bound); err != nil || bound.Token == "" {
		t.Fatalf("%v: %s", err, a.body)
	}
	check := func() {
		t.Helper()
		for range 100 { // as many queues as the kernel may have
			conn := g.dial(t)
			conn.write("PROXY TCP4 "+client+" 127.0.0.1 1 2", "POST "+callbackPath+" HTTP/1.1", "Host: x", "X-Callback-Token: "+bound.Token, "Content-Length: 0")
			wantStatus(t, conn.answer(http.MethodPost), http.StatusOK)
			conn.Close()
		}
		wantProblem(t, g.use(t, credential{token: bound.Token}), http.StatusForbidden, "HKG-1403")
	}
	check()
	for range 3 {
		g.Reload(reloaded)
		check()
	}
	for name, wrong := range map[string][]string{
		"before hookgate":              {"proxy_protocol", "hookgate", "tls"},
		"before hookgate, without tls": {"proxy_protocol", "hookgate"},
		"another one":                  {"http_redirect", "hookgate", "tls"},
	} {
		t.Run(name, func(t *testing.T) {
			second := &gate{t: t, dir: t.TempDir()}
			second.write(config{store: embedded(t), wrappers: wrong}.text(t, g.ports))
			for _, verb := range []string{"validate", "check"} {
				stdout, stderr, code := hookgatetest.Run(t, hookgatetest.Command(second.dir, verb, "--config", second.caddyfile()))
				if code != 1 || !strings.Contains(stdout+stderr, "in listener_wrappers write") {
					t.Errorf("%s: exit code %d:\n%s%s", verb, code, stdout, stderr)
				}
			}
		})
	}
	behind := &gate{t: t, dir: t.TempDir()}
	behind.write(config{store: embedded(t), wrappers: right}.text(t, g.ports))
	if stdout, stderr, _ := hookgatetest.Run(t, hookgatetest.Command(behind.dir, "check", "--config", behind.caddyfile())); !strings.Contains(stdout, "cannot pass them on through proxy_protocol") {
		t.Errorf("check says nothing of what a reload closes:\n%s%s", stdout, stderr)
	}
}
