package hookgatetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hookgate/hookgate/internal/process"
)

// Ports are where the listeners of a Caddyfile are, on loopback.
type Ports struct{ Vendors, Admin, Status int }

// FreePorts returns ports that nobody listens on.
func FreePorts(t testing.TB) Ports {
	t.Helper()
	return Ports{FreePort(t), FreePort(t), FreePort(t)}
}

// FreePort returns a port that nobody listens on.
func FreePort(t testing.TB) int {
	t.Helper()
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Hookgate is a hookgate process, and the same one again after Restart.
type Hookgate struct {
	Vendors, Admin, Status string // base URLs of its listeners
	Process                *process.Process
	Output                 *process.Output

	t   testing.TB // nil where it runs for all tests of a package
	cmd *exec.Cmd
}

// Write writes a Caddyfile into dir, and returns its path.
func Write(t testing.TB, dir, caddyfile string) string {
	t.Helper()
	path := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(path, []byte(caddyfile), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Serve returns the call that serves with a Caddyfile, which is written into dir, the
// home of the process.
func Serve(t testing.TB, dir, caddyfile string) *exec.Cmd {
	t.Helper()
	return serve(dir, Write(t, dir, caddyfile))
}

func serve(dir, path string) *exec.Cmd {
	return Command(dir, "run", "--config", path, "--adapter", "caddyfile")
}

// Start runs cmd, which is hookgate with these listeners, until the test ends. It
// returns when hookgate listens.
func Start(t testing.TB, p Ports, cmd *exec.Cmd) *Hookgate {
	t.Helper()
	h := newHookgate(p, cmd)
	h.t = t
	t.Cleanup(func() {
		if h.Process != nil {
			h.Kill()
		}
		if text := h.Output.String(); t.Failed() {
			t.Logf("hookgate's output:\n%s", text[max(0, len(text)-8000):])
		}
	})
	h.Run()
	return h
}

// Open runs hookgate at home in dir for all tests of a package, and returns when it is
// ready. Who asks more of it than its addresses, Process, Output and Kill needs Start.
func Open(dir string, caddyfile func(Ports) string) (*Hookgate, error) {
	var p Ports
	for _, port := range []*int{&p.Vendors, &p.Admin, &p.Status} {
		var err error
		if *port, err = process.FreePort(); err != nil {
			return nil, err
		}
	}
	path := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(path, []byte(caddyfile(p)), 0o600); err != nil {
		return nil, err
	}
	h := newHookgate(p, serve(dir, path))
	err := h.run(h.Status + "/readyz")
	if err != nil && h.Process != nil {
		h.Kill()
	}
	return h, err
}

func newHookgate(p Ports, cmd *exec.Cmd) *Hookgate {
	url := func(port int) string { return fmt.Sprintf("http://127.0.0.1:%d", port) }
	return &Hookgate{Vendors: url(p.Vendors), Admin: url(p.Admin), Status: url(p.Status), Output: new(process.Output), cmd: cmd}
}

// Run starts the process after Stop or Kill, and returns when it listens.
func (h *Hookgate) Run() {
	h.t.Helper()
	if err := h.run(h.Status + "/healthz"); err != nil {
		h.t.Fatal(err)
	}
}

func (h *Hookgate) run(probe string) (err error) {
	cmd := &exec.Cmd{Path: h.cmd.Path, Args: h.cmd.Args, Dir: h.cmd.Dir, Env: h.cmd.Env, SysProcAttr: h.cmd.SysProcAttr}
	cmd.Stdout, cmd.Stderr = h.Output, h.Output
	if h.cmd.Stderr != nil { // as a test wants it
		cmd.Stderr = h.cmd.Stderr
	}
	const served = "serving initial configuration"
	before := strings.Count(h.Output.String(), served)
	if h.Process, err = process.Start(cmd); err != nil {
		return err
	}
	err = h.Process.Await(Patience, func() bool {
		code, _, err := ask(probe)
		return err == nil && code == http.StatusOK
	})
	if err != nil {
		return fmt.Errorf("hookgate %w:\n%s", err, h.Output)
	}
	// The server that answered may be the first of several. A log that goes elsewhere does not
	// tell when all are there, and then it is not waited for long.
	_ = h.Process.Await(time.Second, func() bool { return strings.Count(h.Output.String(), served) > before })
	return nil
}

// Restart runs the process again after Stop or Kill, and returns when it is ready.
func (h *Hookgate) Restart() {
	h.t.Helper()
	h.Run()
	h.AwaitReady(http.StatusOK)
}

// Stop ends hookgate as an operator would, and returns its exit code.
func (h *Hookgate) Stop() int {
	h.t.Helper()
	h.Process.Signal(syscall.SIGTERM)
	if !h.Process.Wait(Patience) {
		h.t.Fatal("hookgate does not end upon SIGTERM")
	}
	return h.Process.ExitCode()
}

// Kill ends hookgate without a chance to do anything about it.
func (h *Hookgate) Kill() { h.Process.Kill() }

// Reload makes hookgate read its Caddyfile again, and returns when its log says this.
func (h *Hookgate) Reload(want string) {
	h.t.Helper()
	before := strings.Count(h.Output.String(), want)
	h.Process.Signal(syscall.SIGUSR1)
	Eventually(h.t, "the log says: "+want, func() bool {
		return strings.Count(h.Output.String(), want) > before
	})
}

// Readiness is what /readyz says.
type Readiness struct {
	Code   int    `json:"-"`
	Status string `json:"status"`
	Checks struct {
		Keyring, Redis, Process, Log struct {
			Status string `json:"status"`
		}
	} `json:"checks"`
}

// Readiness asks /readyz.
func (h *Hookgate) Readiness() (r Readiness) {
	h.t.Helper()
	code, body, err := ask(h.Status + "/readyz")
	if err == nil {
		err = json.Unmarshal(body, &r)
	}
	if err != nil {
		h.t.Fatalf("/readyz: %v: %s", err, body)
	}
	r.Code = code
	return r
}

// AwaitReady returns when /readyz answers with the code.
func (h *Hookgate) AwaitReady(code int) (r Readiness) {
	h.t.Helper()
	Eventually(h.t, fmt.Sprintf("/readyz answers %d", code), func() bool {
		r = h.Readiness()
		return r.Code == code
	})
	return r
}

// Metrics returns the text of /metrics.
func (h *Hookgate) Metrics(t testing.TB) string {
	t.Helper()
	code, body, err := ask(h.Status + "/metrics")
	if err != nil || code != http.StatusOK {
		t.Fatalf("/metrics: %d, %v", code, err)
	}
	return string(body)
}

// probes keeps no connection: one to a process that has ended is no use.
var probes = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}, Timeout: Patience}

func ask(url string) (code int, body []byte, err error) {
	response, err := probes.Get(url)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}
