package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/process"
)

const (
	// patience is how long a test waits for what must come. It is generous: nothing
	// waits that long unless something is broken.
	patience = 30 * time.Second

	jwtSecret = "0123456789abcdef0123456789abcdef-test"
)

// gate is a hookgate process, and the same one again after restart.
type gate struct {
	t      testing.TB
	config config
	ports  ports
	dir    string // holds the Caddyfile, and is the home of the process

	vendors, admin, status string // base URLs
	client                 *http.Client
	process                *process.Process
	output                 output
}

// start runs hookgate until the test ends, and returns when it is ready.
func start(t testing.TB, c config) *gate {
	t.Helper()
	g := launch(t, c)
	g.awaitReady(http.StatusOK)
	return g
}

// launch runs hookgate until the test ends, and returns when it listens.
func launch(t testing.TB, c config) *gate {
	t.Helper()
	g := &gate{t: t, config: c, dir: t.TempDir(), client: newClient(t)}
	g.ports = ports{freePort(t), freePort(t), freePort(t)}
	g.vendors = fmt.Sprintf("%s://127.0.0.1:%d", c.scheme(), g.ports.Vendors)
	g.admin = fmt.Sprintf("http://127.0.0.1:%d", g.ports.Admin)
	g.status = fmt.Sprintf("http://127.0.0.1:%d", g.ports.Status)
	g.write(c.text(t, g.ports))
	t.Cleanup(func() {
		g.kill()
		if t.Failed() {
			t.Logf("hookgate's output:\n%s", tail(g.output.String(), 8000))
		}
	})
	g.run()
	return g
}

// write replaces the Caddyfile.
func (g *gate) write(text string) {
	g.t.Helper()
	if err := os.WriteFile(g.caddyfile(), []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gate) caddyfile() string { return filepath.Join(g.dir, "Caddyfile") }

func (g *gate) run() {
	g.t.Helper()
	cmd := command(g.dir, "run", "--config", g.caddyfile(), "--adapter", "caddyfile")
	cmd.Stdout, cmd.Stderr = &g.output, &g.output
	if g.config.stderr != nil {
		cmd.Stderr = g.config.stderr
	}
	cmd.Env = append(cmd.Env, g.config.env...)
	started, err := process.Start(cmd)
	if err != nil {
		g.t.Fatal(err)
	}
	g.process = started
	eventually(g.t, "hookgate listens", func() bool {
		select {
		case <-started.Ended():
			g.t.Fatalf("hookgate ended with exit code %d", started.ExitCode())
		default:
		}
		answer, err := g.client.Get(g.status + "/healthz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

// command returns a call of the binary at home in dir.
func command(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	home := filepath.Join(dir, "home")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_DATA_HOME=" + home, "XDG_CONFIG_HOME=" + home,
		"HOOKGATE_TEST_SECRET=" + jwtSecret,
	}
	return cmd
}

// stop ends hookgate as an operator would, and returns its exit code.
func (g *gate) stop() int {
	g.t.Helper()
	g.process.Signal(syscall.SIGTERM)
	if !g.process.Wait(patience) {
		g.t.Fatal("hookgate does not end upon SIGTERM")
	}
	g.client.CloseIdleConnections()
	return g.process.ExitCode()
}

// kill ends hookgate without a chance to do anything about it.
func (g *gate) kill() {
	g.process.Kill()
	g.client.CloseIdleConnections()
}

// restart runs hookgate again after stop or kill, and returns when it is ready.
func (g *gate) restart() {
	g.t.Helper()
	g.run()
	g.awaitReady(http.StatusOK)
}

// reload makes hookgate read its Caddyfile again, and returns when it says so.
func (g *gate) reload(want string) {
	g.t.Helper()
	before := strings.Count(g.output.String(), want)
	g.process.Signal(syscall.SIGUSR1)
	eventually(g.t, "the log says: "+want, func() bool {
		return strings.Count(g.output.String(), want) > before
	})
}

// readiness is what /readyz says.
type readiness struct {
	code   int
	Status string `json:"status"`
	Checks struct {
		Keyring, Redis, Process, Log struct {
			Status string `json:"status"`
		}
	} `json:"checks"`
}

func (g *gate) readiness() readiness {
	g.t.Helper()
	a := g.get(g.t, g.status+"/readyz")
	r := readiness{code: a.status}
	if err := json.Unmarshal(a.body, &r); err != nil {
		g.t.Fatalf("/readyz: %v: %s", err, a.body)
	}
	return r
}

func (g *gate) awaitReady(code int) readiness {
	g.t.Helper()
	var r readiness
	eventually(g.t, fmt.Sprintf("/readyz answers %d", code), func() bool {
		r = g.readiness()
		return r.code == code
	})
	return r
}

// metrics returns the text of /metrics.
func (g *gate) metrics(t testing.TB) string {
	t.Helper()
	a := g.get(t, g.status+"/metrics")
	if a.status != http.StatusOK {
		t.Fatalf("/metrics: %d", a.status)
	}
	return string(a.body)
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not come in %v: %s", patience, what)
		}
	}
}

// output collects what a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func tail(text string, n int) string { return text[max(0, len(text)-n):] }
