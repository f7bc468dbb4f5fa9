package deploy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hookgate/hookgate/internal/process"
	"github.com/hookgate/hookgate/store/redistest"
)

const (
	// patience is how long a test waits for what must come.
	patience = 30 * time.Second

	redisPassword = "of-the-redis-server"
	jwtSecret     = "0123456789abcdef0123456789abcdef-test"
	tenant        = "0199d5a4-0000-7000-8000-00000000000a"
	callback      = "/v1/exceptions/7d4f/callback"
)

// gate is a running hookgate.
type gate struct {
	t                      *testing.T
	process                *process.Process
	log                    *log
	client                 *http.Client
	vendors, admin, status string // base URLs
}

// places are where a deployed Caddyfile's addresses are in a test.
type places struct {
	vendors, admin, status int
	redis, upstream        string
}

func newPlaces(t *testing.T, redis *redistest.Server, upstream string) places {
	return places{freePort(t), freePort(t), freePort(t), redis.URL(), upstream}
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
		"http://:8080 {\n", site(p.vendors),
		"http://:8081 {\n\tbind 127.0.0.1\n", site(p.admin), "http://:8081 {\n", site(p.admin),
		"http://:9090 {\n", site(p.status),
		"redis://127.0.0.1:6379", p.redis, "redis://redis:6379", p.redis,
		"matcher:4018", p.upstream, "127.0.0.1:4018", p.upstream,
		"shutdown_delay 10s", "shutdown_delay 1s", "shutdown_delay 5s", "shutdown_delay 1s", "shutdown_delay 2s", "shutdown_delay 1s",
	).Replace(text)
}

// startGate runs cmd, which is hookgate with a Caddyfile of p, until the test ends,
// and returns when it is ready.
func startGate(t *testing.T, p places, cmd *exec.Cmd) *gate {
	t.Helper()
	g := &gate{
		t: t, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience},
		vendors: fmt.Sprintf("http://127.0.0.1:%d", p.vendors), admin: fmt.Sprintf("http://127.0.0.1:%d", p.admin),
		status: fmt.Sprintf("http://127.0.0.1:%d", p.status),
	}
	g.process, g.log = begin(t, cmd)
	eventually(t, "hookgate is ready", func() bool {
		select {
		case <-g.process.Ended():
			t.Fatalf("hookgate ended with exit code %d", g.process.ExitCode())
		default:
		}
		code, _, err := g.try(http.MethodGet, g.status+"/readyz", "")
		return err == nil && code == http.StatusOK
	})
	return g
}

// begin runs a command until the test ends.
func begin(t *testing.T, cmd *exec.Cmd) (*process.Process, *log) {
	t.Helper()
	out := new(log)
	cmd.Stdout, cmd.Stderr = out, out
	started, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		started.Kill()
		if t.Failed() {
			t.Logf("%q:\n%s", cmd.Args, out)
		}
	})
	return started, out
}

// startRedis runs a Redis that asks for the password, of its user hookgate too.
func startRedis(t *testing.T) *redistest.Server {
	return redistest.Start(t, redistest.WithAOF(), redistest.WithPassword(redisPassword),
		redistest.WithArgs("--user", "hookgate", "on", ">"+redisPassword, "~*", "&*", "+@all"))
}

func (g *gate) try(method, url, body string, headers ...string) (code int, answer string, err error) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := g.client.Do(request)
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
	cmd := exec.Command(binary, "operator-token", "--tenant", tenant, "--role", "admin", "--secret-env", "SECRET")
	cmd.Env = []string{"SECRET=" + jwtSecret}
	out, err := cmd.Output()
	if err != nil {
		g.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// credential is what a mint answers with.
type credential struct{ ID, Token string }

// mint returns a new callback credential.
func (g *gate) mint(body string) credential {
	g.t.Helper()
	answer := g.want(http.StatusCreated, `"token":"mcb_`, http.MethodPost, g.admin+"/v1/credentials", body,
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
	g.want(http.StatusOK, "accepted", http.MethodPost, g.vendors+callback, "{}", "X-Callback-Token", token)
	g.want(http.StatusUnauthorized, "HKG-1401", http.MethodPost, g.vendors+callback, "{}")
	if text := g.log.String(); strings.Contains(text, token) || strings.Contains(text, jwtSecret) || strings.Contains(text, redisPassword) {
		g.t.Error("a secret is in the log")
	}
}

// drains ends hookgate as systemd, Docker and Kubernetes do: it is not ready from then
// on, takes requests for a while, and ends well.
func (g *gate) drains() {
	g.t.Helper()
	token := g.mint(`{"kind": "callback"}`).Token
	g.process.Signal(syscall.SIGTERM)
	eventually(g.t, "it is not ready", func() bool {
		code, _, err := g.try(http.MethodGet, g.status+"/readyz", "")
		return err == nil && code == http.StatusServiceUnavailable
	})
	g.want(http.StatusOK, "accepted", http.MethodPost, g.vendors+callback, "{}", "X-Callback-Token", token)
	if !g.process.Wait(patience) || g.process.ExitCode() != 0 {
		g.t.Errorf("SIGTERM ends it with exit code %d", g.process.ExitCode())
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not come in %v: %s", patience, what)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// log collects what a process writes.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
