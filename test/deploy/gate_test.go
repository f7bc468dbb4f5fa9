package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/hookgate/hookgate/store/redistest"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

const (
	redisPassword = "of-the-redis-server"
	tenant        = "0199d5a4-0000-7000-8000-00000000000a"
	callback      = "/v1/exceptions/7d4f/callback"
)

// gate is a running hookgate.
type gate struct {
	*hookgatetest.Hookgate
	t *testing.T
}

// places are where a deployed Caddyfile's addresses are in a test.
type places struct {
	hookgatetest.Ports
	redis, upstream string
}

func newPlaces(t *testing.T, redis *redistest.Server, upstream string) places {
	return places{hookgatetest.FreePorts(t), redis.URL(), upstream}
}

// local returns a deployed Caddyfile as it can run here.
func (p places) local(t *testing.T, text string) string {
	t.Helper()
	for _, part := range []string{"http://:8080 {\n", "http://:8081 {\n", "http://:9090 {\n", ":6379", ":4018", "shutdown_delay "} {
		if !strings.Contains(text, part) && !(part == ":6379" && strings.Contains(text, "{env.HOOKGATE_REDIS_URL}")) {
			t.Fatalf("the Caddyfile has no %q", part)
		}
	}
	site := func(port int) string { return fmt.Sprintf("http://:%d {\n\tbind 127.0.0.1\n", port) }
	return strings.NewReplacer(
		"http://:8080 {\n", site(p.Vendors),
		"http://:8081 {\n\tbind 127.0.0.1\n", site(p.Admin), "http://:8081 {\n", site(p.Admin),
		"http://:9090 {\n", site(p.Status),
		"redis://127.0.0.1:6379", p.redis, "redis://redis:6379", p.redis,
		"matcher:4018", p.upstream, "127.0.0.1:4018", p.upstream,
		"shutdown_delay 10s", "shutdown_delay 1s", "shutdown_delay 5s", "shutdown_delay 1s", "shutdown_delay 2s", "shutdown_delay 1s",
	).Replace(text)
}

// startGate runs cmd, which is hookgate with a Caddyfile of p, until the test ends,
// and returns when it is ready.
func startGate(t *testing.T, p places, cmd *exec.Cmd) *gate {
	t.Helper()
	g := &gate{hookgatetest.Start(t, p.Ports, cmd), t}
	g.AwaitReady(http.StatusOK)
	return g
}

// startRedis runs a Redis that asks for the password, of its user hookgate too.
func startRedis(t *testing.T) *redistest.Server {
	return redistest.Start(t, redistest.WithAOF(), redistest.WithPassword(redisPassword),
		redistest.WithArgs("--user", "hookgate", "on", ">"+redisPassword, "~*", "&*", "+@all"))
}

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: hookgatetest.Patience}

func (g *gate) try(method, url, body string, headers ...string) (code int, answer string, err error) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// want sends a request whose answer has to have a status and a text.
func (g *gate) want(code int, text, method, url, body string, headers ...string) string {
	g.t.Helper()
	got, answer, err := g.try(method, url, body, headers...)
	if err != nil || got != code || !strings.Contains(answer, text) {
		g.t.Fatalf("%s %s: %d, %v, want %d with %q: %s", method, url, got, err, code, text, answer)
	}
	return answer
}

// operator returns an operator's JWT.
func (g *gate) operator() string {
	g.t.Helper()
	return hookgatetest.OperatorToken(g.t, tenant, "admin")
}

// credential is what a mint answers with.
type credential struct{ ID, Token string }

// mint returns a new callback credential.
func (g *gate) mint(body string) credential {
	g.t.Helper()
	answer := g.want(http.StatusCreated, `"token":"mcb_`, http.MethodPost, g.Admin+"/v1/credentials", body,
		"Authorization", "Bearer "+g.operator(), "Content-Type", "application/json")
	var c credential
	if err := json.Unmarshal([]byte(answer), &c); err != nil {
		g.t.Fatal(err)
	}
	return c
}

// serves tries what a deployment is for.
func (g *gate) serves() {
	g.t.Helper()
	token := g.mint(`{"kind": "callback"}`).Token
	g.want(http.StatusOK, "accepted", http.MethodPost, g.Vendors+callback, "{}", "X-Callback-Token", token)
	g.want(http.StatusUnauthorized, "HKG-1401", http.MethodPost, g.Vendors+callback, "{}")
	if text := g.Output.String(); strings.Contains(text, token) || strings.Contains(text, hookgatetest.JWTSecret) || strings.Contains(text, redisPassword) {
		g.t.Error("a secret is in the log")
	}
}

// drains ends hookgate as systemd, Docker and Kubernetes do: it is not ready from then
// on, takes requests for a while, and ends well.
func (g *gate) drains() {
	g.t.Helper()
	token := g.mint(`{"kind": "callback"}`).Token
	g.Process.Signal(syscall.SIGTERM)
	hookgatetest.Eventually(g.t, "it is not ready", func() bool {
		code, _, err := g.try(http.MethodGet, g.Status+"/readyz", "")
		return err == nil && code == http.StatusServiceUnavailable
	})
	g.want(http.StatusOK, "accepted", http.MethodPost, g.Vendors+callback, "{}", "X-Callback-Token", token)
	if !g.Process.Wait(hookgatetest.Patience) || g.Process.ExitCode() != 0 {
		g.t.Errorf("SIGTERM ends it with exit code %d", g.Process.ExitCode())
	}
}
