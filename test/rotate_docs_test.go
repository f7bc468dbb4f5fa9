package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hookgate/hookgate/store/redistest"
	"github.com/hookgate/hookgate/test/docs"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// reload is what a page calls so: it ends when the process has the new configuration, and
// then a vendor posts, with the old secret as long as that is in the file.
const reload = `
reload() {
	loaded() { curl -sS http://127.0.0.1:9090/metrics | grep '^hookgate_reloads_total{result="ok"}'; }
	before=$(loaded)
	kill -USR1 "$PROCESS"
	until [ "$(loaded)" != "$before" ]; do
		curl -sS http://127.0.0.1:9090/metrics | grep '^hookgate_last_reload_successful 1$' >/dev/null
		sleep 0.05
	done
	secret=/etc/hookgate/acme-2026
	grep -q acme-2026 /etc/hookgate/Caddyfile || secret=/etc/hookgate/acme-2027
	printf %s "$WEBHOOK" | hookgate send --as '{"signature":{"header":"X-Webhook-Signature"}}' --secret-file "$secret" --url - >/dev/null
}
`

// TestRotate does what docs/rotate.md shows, in its order. A vendor posts after every
// reload and is never refused.
func TestRotate(t *testing.T) {
	t.Parallel()
	needs(t, "redis-cli", "openssl")
	const page = "docs/rotate.md"
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	certificates, others := redistest.NewCertificates(t), redistest.NewCertificates(t)
	for name, from := range map[string]string{
		"redis-ca.pem": certificates.CA, "redis-client.pem": certificates.ClientCert, "redis-client.key": certificates.ClientKey, "new-ca.pem": others.CA,
	} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		write(name, string(text))
	}
	const password = "of-the-redis-user"
	write("redis-password", password)
	write("acme-2026", "signing-secret-of-2026")
	write("seal-key-2026", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	write("jwt-2026", hookgatetest.JWTSecret)
	write("oidc-secret", "client-secret-of-2026")
	write("matcher-secret", "0123456789abcdef0123456789abcdef-matcher")
	write("sink-token", "of-the-sink-in-2026")
	var authorization atomic.Value // of what came to the audit sink last
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		authorization.Store(r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(sink.Close)
	redis := onRedis(t, syncing, redistest.WithTLS(certificates), redistest.WithArgs("--user", "hookgate", "on", ">"+password, "~*", "&*", "+@all"))
	file := func(name string) string { return fmt.Sprintf("{file.%s/%s}", dir, name) }
	c := config{
		store:    redis,
		upstream: newUpstream(t).addr,
		app: []string{
			"seal_key " + file("seal-key-2026"), "username hookgate", "password_file " + dir + "/redis-password",
			"tls_ca " + dir + "/redis-ca.pem", "tls_cert " + dir + "/redis-client.pem", "tls_key " + dir + "/redis-client.key",
			"audit_sink https " + sink.URL + " {", "token " + file("sink-token"), "}",
		},
		guard: []string{"vendor acme {", "signature X-Webhook-Signature " + file("acme-2026"), "}", "assert_jwt {", "secret " + file("matcher-secret"), "}"},
		known: "any",
		admin: []string{"oidc {", "issuer https://issuer.example.com", "client_id hookgate", "client_secret " + file("oidc-secret"), "}"},
	}
	p := hookgatetest.FreePorts(t)
	write("Caddyfile", strings.Replace(c.text(t, p), "{env."+hookgatetest.SecretEnv+"}", file("jwt-2026"), 1))
	cmd := hookgatetest.Command(dir, "run", "--config", filepath.Join(dir, "Caddyfile"), "--adapter", "caddyfile")
	g := &gate{t: t, config: c, ports: p, dir: dir, client: newClient(t), Hookgate: hookgatetest.Start(t, p, cmd)}
	g.AwaitReady(http.StatusOK)

	o := g.operator(t, tenantA, "admin")
	old, signed := o.mintCallback("JIRA"), o.mintVerified("acme", secretOfOne)
	acme := o.minted(o.do(http.MethodPost, "/v1/credentials", `{"kind":"webhook","vendor":"acme","connection":"acme-main"}`), webhookTokens)
	api := o.mintAPI("billing", "")
	script := strings.NewReplacer("/etc/hookgate", dir, "http://127.0.0.1:8081", g.Admin, "http://127.0.0.1:9090", g.Status).Replace(
		fmt.Sprintf("export PATH=\"$PWD/bin:$PATH\"\nredis-cli() { command redis-cli --tls --cacert %s --cert %s --key %s -h 127.0.0.1 -p %s \"$@\"; }\n",
			certificates.CA, certificates.ClientCert, certificates.ClientKey, redis.redis.Addr()[len("127.0.0.1:"):]) +
			reload + docs.Script(docs.ToRun(t, "..", page, "sh")))
	stdout, stderr := typedIn(t, dir, script, "HOOKGATE_SERVER="+g.Admin, "HOOKGATE_TOKEN="+o.jwt, "OLD="+old.id, "API="+api, "SIGNED="+signed.id,
		fmt.Sprintf("PROCESS=%d", g.Process.PID()), "NEW_CLIENT_SECRET=client-secret-of-2027", "NEW_SINK_TOKEN=of-the-sink-in-2027", "WEBHOOK="+g.Vendors+acme.path())
	for _, want := range []string{
		"The guard lets it through.", `hookgate_proofs_total{result="old_secret",vendor="acme"}`, "age=", "OK",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s%s", want, stdout, stderr)
		}
	}
	// What was replaced opens nothing any more, and is not sent.
	wantStatus(t, g.use(t, old), http.StatusUnauthorized)
	wantStatus(t, o.do(http.MethodGet, "/v1/credentials", ""), http.StatusUnauthorized)
	token, err := os.ReadFile(filepath.Join(dir, "operator.jwt"))
	if err != nil {
		t.Fatal(err)
	}
	o.jwt = strings.TrimSpace(string(token))
	o.mintCallback("after all")
	hookgatetest.Eventually(t, "the audit sink gets its new token", func() bool { return authorization.Load() == "Bearer of-the-sink-in-2027" })
	if text, err := os.ReadFile(filepath.Join(dir, "Caddyfile")); err != nil || strings.Contains(string(text), "-2026}") {
		t.Errorf("an old secret is in the configuration: %v\n%s", err, text)
	}
}
