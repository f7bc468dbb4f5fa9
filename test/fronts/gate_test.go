package fronts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/test/process"
	"github.com/hookgate/hookgate/test/redistest"
)

const (
	// patience is how long a test waits for what must come. Nothing waits that long
	// unless something is broken.
	patience = 30 * time.Second

	jwtSecret = "0123456789abcdef0123456789abcdef-test"
	tenant    = "0199d5a4-0000-7000-8000-00000000000a"
)

// gate is a hookgate process with a recording upstream, and the same one again after start.
type gate struct {
	t                      testing.TB
	dir                    string
	vendors, admin, status int // ports
	redis                  *redistest.Server
	upstream               *upstream
	process                *process.Process
	output                 output

	callback credential
	webhook  credential // of a vendor that may send from anywhere
	listed   credential // of a vendor with allow_ips
}

type credential struct{ token, path string }

// newGate writes the Caddyfile of a hookgate that is not yet run.
func newGate(t *testing.T, f front) *gate {
	t.Helper()
	g := &gate{t: t, dir: t.TempDir(), vendors: freePort(t), admin: freePort(t), status: freePort(t), redis: redistest.Start(t), upstream: newUpstream(t)}
	site := fmt.Sprintf("http://hooks.example.com:%d", g.vendors)
	if f.foreignHost {
		site = fmt.Sprintf("http://:%d", g.vendors)
	}
	servers := strings.ReplaceAll(snippet(t, f.side()), "10.0.0.0/8", "127.0.0.1/32")
	ready := ""
	if f.readyzOfVendors {
		ready = strings.Replace(snippet(t, "hookgate-readyz"), "http://:8080 {", fmt.Sprintf("http://:%d {\n\tbind 127.0.0.1", g.vendors), 1)
	}
	if f.swapped {
		servers = swapWrappers(t, servers)
	}
	text, err := template.ParseFiles("testdata/Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	var caddyfile bytes.Buffer
	err = text.Execute(&caddyfile, map[string]any{
		"Redis": g.redis.URL(), "Servers": servers, "Site": site, "Ready": ready, "Allowed": allowed,
		"Upstream": g.upstream.addr, "Admin": g.admin, "Status": g.status,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(g.dir, "Caddyfile"), caddyfile.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.kill()
		if t.Failed() {
			g.output.show(t, "hookgate")
		}
	})
	return g
}

// swapWrappers puts proxy_protocol behind hookgate in listener_wrappers.
func swapWrappers(t *testing.T, servers string) string {
	t.Helper()
	start, end := strings.Index(servers, "proxy_protocol {"), strings.Index(servers, "hookgate\n")
	if start < 0 || end < start {
		t.Fatalf("no proxy_protocol before hookgate:\n%s", servers)
	}
	wrapper := servers[start:end]
	return servers[:start] + "hookgate\n" + wrapper + servers[end+len("hookgate\n"):]
}

// start runs hookgate, and returns when it is ready.
func (g *gate) start() {
	g.t.Helper()
	cmd := exec.Command(binary, "run", "--config", filepath.Join(g.dir, "Caddyfile"), "--adapter", "caddyfile")
	cmd.Dir = g.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + g.dir, "XDG_DATA_HOME=" + g.dir, "XDG_CONFIG_HOME=" + g.dir, "HOOKGATE_TEST_SECRET=" + jwtSecret}
	g.process = begin(g.t, "hookgate", cmd, &g.output)
	eventually(g.t, "hookgate is ready", func() bool {
		alive(g.t, "hookgate", g.process)
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/readyz", g.status))
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

func (g *gate) kill() {
	if g.process != nil {
		g.process.Kill()
	}
}

// drain begins the shutdown, in which hookgate goes on to serve while it is not ready.
func (g *gate) drain() { g.process.Signal(syscall.SIGTERM) }

// mint makes the credentials of the test.
func (g *gate) mint() {
	g.t.Helper()
	const credentials, tokens = "/v1/exceptions/callbacks/credentials", "/v1/discovery/webhooks/tokens"
	g.callback = credential{token: g.operator(credentials, `{"externalSystem":"JIRA"}`), path: "/v1/exceptions/exc-1_A/callback"}
	for vendor, c := range map[string]*credential{"pluggy": &g.webhook, "belvo": &g.listed} {
		token := g.operator(tokens, fmt.Sprintf(`{"vendor":%q,"connection_config_name":"%s-main"}`, vendor, vendor))
		*c = credential{token, "/v1/discovery/webhooks/" + vendor + "/" + token}
	}
}

// operator posts to the admin API, and returns the token that it answers with.
func (g *gate) operator(path, body string) string {
	g.t.Helper()
	bearer, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"tenant_id": tenant, "roles": []string{"admin"}, "sub": "test", "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(jwtSecret))
	if err != nil {
		g.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d%s", g.admin, path), strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	var minted struct{ Token string }
	if err := json.Unmarshal(text, &minted); err != nil || answer.StatusCode != http.StatusCreated || minted.Token == "" {
		g.t.Fatalf("%s: %d %s", path, answer.StatusCode, text)
	}
	return minted.Token
}

// begin runs a command until the test ends.
func begin(t testing.TB, name string, cmd *exec.Cmd, out *output) *process.Process {
	t.Helper()
	cmd.Stdout, cmd.Stderr = out, out
	started, err := process.Start(cmd)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return started
}

func alive(t testing.TB, name string, p *process.Process) {
	t.Helper()
	select {
	case <-p.Ended():
		t.Fatalf("%s ended with exit code %d", name, p.ExitCode())
	default:
	}
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// output is what a process printed.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) show(t testing.TB, name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := o.text.String()
	t.Logf("%s printed:\n%s", name, text[max(0, len(text)-6000):])
}

var takenPorts sync.Map

// freePort returns a port that nobody listens on, below those that the kernel gives to
// outgoing connections: a process that is restarted finds it free again.
func freePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := 10_000 + rand.IntN(20_000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		listener.Close()
		if _, taken := takenPorts.LoadOrStore(port, true); !taken {
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}
