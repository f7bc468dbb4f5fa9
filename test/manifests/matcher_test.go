package manifests

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
	"github.com/hookgate/hookgate/test/matcher"
)

const exception = "0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a5b"

// running is the Hookgate of a form, as a process of this machine.
type running struct {
	*hookgatetest.Hookgate
	t        *testing.T
	operator string // the JWT of one of the tenant
}

// TestInFrontOfMatcher runs what Kubernetes would, with its addresses and its data set on
// this machine, in front of the version of Matcher that it names: the events that vendors
// send are processed with tokens that are minted there.
func TestInFrontOfMatcher(t *testing.T) {
	eachForm(t, func(t *testing.T, f form) {
		tenant := "0199d5a4-0000-7000-8000-00000000000b"
		for name, text := range f.configs["hookgate"].Data {
			if served := regexp.MustCompile(`^\s*tenants (\S+)`).FindStringSubmatch(text); served != nil && strings.HasSuffix(name, ".matcher2") {
				tenant = served[1]
			}
		}
		switch f.version {
		case "4":
			m := &matcher.V4{
				Secret: []byte(hookgatetest.JWTSecret), TrustedProxies: []string{"127.0.0.1"},
				Providers: map[string]matcher.Provider{"belvo": {AllowIPs: []string{"3.130.254.46"}}, "pluggy": {AllowIPs: []string{"177.71.238.212"}}},
				Aggregators: map[string][]matcher.Aggregator{tenant: {
					{Vendor: "belvo", ConfigName: "belvo-main"}, {Vendor: "pluggy", ConfigName: "pluggy-main"},
				}},
			}
			r := f.run(t, m, tenant)
			callback := m.MintCallback(tenant)
			r.imports(callback, `"kind":"callback","label":"JIRA"`)
			body := r.posts("matcher-callback.json", "/v1/exceptions/"+exception+"/callback", "X-Callback-Token", callback)
			wantAccepted(t, m.Take, matcher.Delivery{Tenant: tenant, Exception: exception, Body: body})
			for vendor, sent := range map[string][2]string{"belvo": {"belvo-historical-update.json", "3.130.254.46"}, "pluggy": {"pluggy-item-updated.json", "177.71.238.212"}} {
				token := m.MintWebhook(tenant, vendor, vendor+"-main")
				r.imports(token, fmt.Sprintf(`"kind":"webhook","vendor":%q,"connection":"%s-main"`, vendor, vendor))
				body := r.posts(sent[0], "/v1/discovery/webhooks/"+vendor+"/"+token, "X-Forwarded-For", sent[1])
				wantAccepted(t, m.Take, matcher.Delivery{Tenant: tenant, Provider: vendor, Connection: vendor + "-main", Body: body})
			}
		default:
			// 2.x has no receiver for the events of aggregators.
			m := &matcher.V2{Secret: []byte(hookgatetest.JWTSecret), MultiTenant: true, Exceptions: map[string][]string{tenant: {exception}}}
			if f.version == "2-open" {
				m = &matcher.V2{Exceptions: map[string][]string{matcher.DefaultTenant: {exception}}}
			}
			r := f.run(t, m, tenant)
			id, token := r.mints()
			body := r.posts("matcher-callback.json", "/v1/exceptions/"+exception+"/callback", "X-Callback-Token", token)
			want := matcher.Delivery{Tenant: tenant, Subject: "hookgate:" + id, Exception: exception, Body: body}
			if f.version == "2-open" {
				want.Tenant, want.Subject = matcher.DefaultTenant, ""
			}
			wantAccepted(t, m.Take, want)
		}
	})
}

// wantAccepted checks what Matcher has accepted since the last look: one delivery.
func wantAccepted(t *testing.T, take func() ([]matcher.Delivery, []int), want matcher.Delivery) {
	t.Helper()
	accepted, refused := take()
	if len(accepted) != 1 || len(refused) > 0 {
		t.Fatalf("Matcher accepted %v and refused %v", accepted, refused)
	}
	if accepted[0].IdempotencyKey = want.IdempotencyKey; accepted[0] != want {
		t.Errorf("Matcher accepted %+v, want %+v", accepted[0], want)
	}
}

// run starts the form before a Matcher.
func (f form) run(t *testing.T, m http.Handler, tenant string) running {
	t.Helper()
	upstream := httptest.NewServer(m)
	t.Cleanup(upstream.Close)
	p, dir := hookgatetest.FreePorts(t), t.TempDir()
	const mounted = "/run/secrets/hookgate/"
	for name, text := range f.configs["hookgate"].Data {
		if name == "Caddyfile" {
			here := func(pattern, with string) {
				t.Helper()
				expression := regexp.MustCompile(pattern)
				if n := len(expression.FindAllString(text, -1)); n != 1 {
					t.Fatalf("the Caddyfile has %d times %s", n, pattern)
				}
				text = expression.ReplaceAllLiteralString(text, with)
			}
			here(`(?m)^\t\tredis \S+ \{\n(\t\t\t.*\n)+\t\t\}$`, fmt.Sprintf("\t\tredis embedded %q", filepath.Join(dir, "data")))
			for from, to := range map[string]int{"8080": p.Vendors, "8081": p.Admin, "9090": p.Status} {
				here(`http://:`+from+` \{\n(\tbind 127\.0\.0\.1\n)?`, fmt.Sprintf("http://:%d {\n\tbind 127.0.0.1\n", to))
			}
		}
		text = strings.ReplaceAll(text, "http://:8082 {", fmt.Sprintf("http://:%d {\n\tbind 127.0.0.1", hookgatetest.FreePort(t)))
		write(t, filepath.Join(dir, name), strings.ReplaceAll(text, mounted, dir+"/"))
	}
	write(t, filepath.Join(dir, "jwt-secret"), hookgatetest.JWTSecret+"\n")
	cmd := exec.Command(binary(t), "run", "--config", filepath.Join(dir, "Caddyfile"), "--adapter", "caddyfile")
	cmd.Dir, cmd.Env = dir, hookgatetest.Home(dir)
	env := f.environment(f.container(t, "hookgate"))
	for _, name := range []string{"HOOKGATE_MATCHER", "HOOKGATE_TRUSTED_PROXIES", "HOOKGATE_PUBLIC_URL", "HOOKGATE_MATCHER_VERSION"} {
		if env[name] == "" {
			t.Fatalf("%s is not set", name)
		}
	}
	env["HOOKGATE_MATCHER"], env["HOOKGATE_TRUSTED_PROXIES"] = strings.TrimPrefix(upstream.URL, "http://"), "127.0.0.1/32"
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	h := hookgatetest.Start(t, p, cmd)
	h.AwaitReady(http.StatusOK)
	return running{h, t, hookgatetest.OperatorToken(t, tenant, "admin")}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// imports makes a token of Matcher's known.
func (r running) imports(token, line string) {
	r.t.Helper()
	var answer struct{ Results []struct{ Status string } }
	r.send(r.Admin+"/v1/credentials/import", fmt.Sprintf(`{"credentials":[{"digest":"%x",%s}]}`, sha256.Sum256([]byte(token)), line), &answer, "Authorization", "Bearer "+r.operator)
	if len(answer.Results) != 1 || answer.Results[0].Status != "created" {
		r.t.Fatalf("imported: %v", answer)
	}
}

// mints returns a callback credential.
func (r running) mints() (id, token string) {
	r.t.Helper()
	var answer struct{ ID, Token string }
	r.send(r.Admin+"/v1/credentials", `{"kind":"callback","label":"JIRA"}`, &answer, "Authorization", "Bearer "+r.operator)
	return answer.ID, answer.Token
}

// posts sends an event of testdata as its vendor does, and returns it.
func (r running) posts(fixture, target, header, value string) string {
	r.t.Helper()
	body, err := os.ReadFile(filepath.Join("../testdata", fixture))
	if err != nil {
		r.t.Fatal(err)
	}
	r.send(r.Vendors+target, string(body), nil, header, value)
	return string(body)
}

// send posts JSON, which has to succeed, and reads the answer.
func (r running) send(url, body string, answer any, header, value string) {
	r.t.Helper()
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewBufferString(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(header, value)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		r.t.Fatalf("status %d, %v: %s", response.StatusCode, err, text)
	}
	if answer == nil {
		return
	}
	if err := json.Unmarshal(text, answer); err != nil {
		r.t.Fatal(err)
	}
}
