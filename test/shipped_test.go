package test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
	"github.com/hookgate/hookgate/test/matcher"
)

// shipped returns a Caddyfile of the repository as it runs here: with addresses and a data
// set of this machine, and the secrets of the tests, and otherwise as it is.
func shipped(t *testing.T, path, upstream string, p hookgatetest.Ports) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", path))
	if err != nil {
		t.Fatal(err)
	}
	here := string(text)
	replace := func(pattern, with string) {
		t.Helper()
		expression := regexp.MustCompile(pattern)
		if len(expression.FindAllString(here, -1)) != 1 {
			t.Fatalf("%s has not one %s", path, pattern)
		}
		here = expression.ReplaceAllLiteralString(here, with)
	}
	replace(`(?m)^\t\tredis \S+( \{\n(\t\t\t.*\n)+\t\t\})?$`, fmt.Sprintf("\t\tredis embedded %q", filepath.Join(t.TempDir(), "data")))
	replace(`(?m)^\t\t\tsecret \S+$`, "\t\t\tsecret {env."+hookgatetest.SecretEnv+"}")
	replace(`public_url \S+`, fmt.Sprintf("public_url http://127.0.0.1:%d insecure", p.Vendors))
	replace(`trusted_proxies static .*`, "trusted_proxies static 127.0.0.1/32")
	for from, to := range map[string]int{"8080": p.Vendors, "8081": p.Admin, "9090": p.Status} {
		replace(`http://:`+from+` \{\n(\tbind 127\.0\.0\.1\n)?`, fmt.Sprintf("http://:%d {\n\tbind 127.0.0.1\n", to))
	}
	return regexp.MustCompile(`(matcher|127\.0\.0\.1):4018`).ReplaceAllLiteralString(here, upstream)
}

// TestShippedConfigurations: each in front of the version of Matcher that it names, with
// the events that vendors send.
func TestShippedConfigurations(t *testing.T) {
	t.Parallel()
	version := regexp.MustCompile(`(?m)^\t\t(?:matcher |import matcher-\{\$HOOKGATE_MATCHER_VERSION:)(\d)`)
	for _, path := range []string{"Caddyfile.example", "deploy/systemd/Caddyfile", "deploy/docker/Caddyfile", "deploy/kubernetes/component/Caddyfile"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			p := hookgatetest.FreePorts(t)
			m := &matcher.V4{
				Secret: []byte(hookgatetest.JWTSecret), TrustedProxies: []string{"127.0.0.1"},
				Providers: map[string]matcher.Provider{"belvo": {AllowIPs: []string{"3.130.254.46"}}, "pluggy": {AllowIPs: []string{"177.71.238.212"}}},
				Aggregators: map[string][]matcher.Aggregator{tenantA: {
					{Vendor: "belvo", ConfigName: "belvo-main"}, {Vendor: "pluggy", ConfigName: "pluggy-main"},
				}},
			}
			text := shipped(t, path, serve(t, m), p)
			if named := version.FindStringSubmatch(text); named == nil || named[1] != "4" {
				t.Fatalf("there is no stand-in for the version that it names: %v", named)
			}
			dir := t.TempDir()
			g := &gate{t: t, ports: p, dir: dir, client: newClient(t)}
			g.Hookgate = hookgatetest.Start(t, p, hookgatetest.Serve(t, dir, text))
			g.AwaitReady(http.StatusOK)

			operator := g.operator(t, tenantA, "admin")
			mirrored := regexp.MustCompile(`(?m)^\s*mirror `).MatchString(text)
			var callback credential
			if mirrored {
				callback = operator.mintCallback("JIRA")
			} else {
				callback = operator.importDigest(m.MintCallback(tenantA), `"kind":"callback","label":"JIRA"`)
			}
			hook := func(vendor string) credential {
				if mirrored {
					return operator.mintWebhook(vendor)
				}
				c := operator.importDigest(m.MintWebhook(tenantA, vendor, vendor+"-main"), fmt.Sprintf(`"kind":"webhook","vendor":%q,"connection":"%s-main"`, vendor, vendor))
				c.vendor = vendor
				return c
			}
			belvo, pluggy := hook("belvo"), hook("pluggy")
			for _, event := range []struct {
				fixture, target, header string
				status                  int
				want                    matcher.Delivery
			}{
				{"matcher-callback.json", callbackOf(exceptionA), "X-Callback-Token: " + callback.token, http.StatusOK, matcher.Delivery{Exception: exceptionA}},
				{"belvo-historical-update.json", belvo.path(), "X-Forwarded-For: 3.130.254.46", http.StatusAccepted, matcher.Delivery{Provider: "belvo", Connection: "belvo-main"}},
				{"pluggy-item-updated.json", pluggy.path(), "X-Forwarded-For: 177.71.238.212", http.StatusAccepted, matcher.Delivery{Provider: "pluggy", Connection: "pluggy-main"}},
			} {
				body := fixture(t, event.fixture)
				wantStatus(t, g.post(t, g.Vendors+event.target, body, event.header, "Content-Type: application/json"), event.status)
				event.want.Tenant, event.want.Body = tenantA, body
				accepted, refused := m.Take()
				if len(refused) > 0 {
					t.Errorf("Matcher refused %v", refused)
				}
				wantDelivery(t, accepted, event.want)
			}

			// What check asks for is there. Of the store it says more for a real Redis.
			g.stop()
			stdout, stderr, code := hookgatetest.Run(t, hookgatetest.Command(dir, "check", "--config", g.caddyfile()))
			if code != 0 || strings.Contains(stdout, "warning") {
				t.Errorf("check: exit code %d\n%s%s", code, stdout, stderr)
			}
			if !strings.Contains(stdout, fmt.Sprintf("on 127.0.0.1:%d plain requests take it", p.Vendors)) {
				t.Errorf("vendors do not have the express lane:\n%s", stdout)
			}
		})
	}
}

// TestExampleForMatcher2: the lines for 2.x in the comment of Caddyfile.example stand in
// for those of 4, and what is minted there is processed.
func TestExampleForMatcher2(t *testing.T) {
	t.Parallel()
	p := hookgatetest.FreePorts(t)
	m := &matcher.V2{Secret: []byte(hookgatetest.JWTSecret), MultiTenant: true, Exceptions: map[string][]string{tenantA: {exceptionA}}}
	text := shipped(t, "Caddyfile.example", serve(t, m), p)
	commented := regexp.MustCompile(`(?m)^\t\t#\t(.*)$`)
	text = regexp.MustCompile(`(?m)^\t\tmirror .*\n`).ReplaceAllLiteralString(text, "")
	if n := len(commented.FindAllString(text, -1)); n != 3 {
		t.Fatalf("%d lines in the comment", n)
	}
	text = commented.ReplaceAllString(text, "\t\t$1")
	text = regexp.MustCompile(`(?m)^\t\tmatcher 4\n`).ReplaceAllLiteralString(text, "")
	text = regexp.MustCompile(`(?s)\t\tvendor belvo \{.*?\n\t\t\}\n`).ReplaceAllLiteralString(text, "")
	dir := t.TempDir()
	cmd := hookgatetest.Serve(t, dir, text)
	cmd.Env = append(cmd.Env, "AUTH_JWT_SECRET="+hookgatetest.JWTSecret)
	g := &gate{t: t, ports: p, dir: dir, client: newClient(t)}
	g.Hookgate = hookgatetest.Start(t, p, cmd)
	g.AwaitReady(http.StatusOK)
	c, body := g.operator(t, tenantA, "admin").mintCallback("JIRA"), fixture(t, "matcher-callback.json")
	wantStatus(t, g.post(t, g.Vendors+callbackOf(exceptionA), body, "X-Callback-Token: "+c.token, "Content-Type: application/json"), http.StatusOK)
	accepted, _ := m.Take()
	wantDelivery(t, accepted, matcher.Delivery{Tenant: tenantA, Subject: "hookgate:" + c.id, Exception: exceptionA, Body: body})
}
