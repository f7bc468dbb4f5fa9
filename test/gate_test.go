package test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// gate is a hookgate process of a config.
type gate struct {
	*hookgatetest.Hookgate
	t      testing.TB
	config config
	ports  hookgatetest.Ports
	dir    string // holds the Caddyfile, and is the home of the process
	client *http.Client
}

// start runs hookgate until the test ends, and returns when it is ready.
func start(t testing.TB, c config) *gate {
	t.Helper()
	g := launch(t, c)
	g.AwaitReady(http.StatusOK)
	return g
}

// launch runs hookgate until the test ends, and returns when it listens.
func launch(t testing.TB, c config) *gate {
	t.Helper()
	return launchAt(t, c, hookgatetest.FreePorts(t))
}

func launchAt(t testing.TB, c config, p hookgatetest.Ports) *gate {
	t.Helper()
	g := &gate{t: t, config: c, ports: p, dir: t.TempDir(), client: newClient(t)}
	cmd := hookgatetest.Serve(t, g.dir, c.text(t, p))
	cmd.Env = append(cmd.Env, c.env...)
	if c.binary != "" {
		cmd.Path = c.binary
	}
	if c.stderr != nil {
		cmd.Stderr = c.stderr
	}
	g.Hookgate = hookgatetest.Start(t, p, cmd)
	g.Vendors = strings.Replace(g.Vendors, "http", c.scheme(), 1)
	return g
}

// write replaces the Caddyfile.
func (g *gate) write(text string) {
	g.t.Helper()
	hookgatetest.Write(g.t, g.dir, text)
}

func (g *gate) caddyfile() string { return filepath.Join(g.dir, "Caddyfile") }

// stop ends hookgate as an operator would, and returns its exit code.
func (g *gate) stop() int {
	g.t.Helper()
	defer g.client.CloseIdleConnections()
	return g.Stop()
}

// kill ends hookgate without a chance to do anything about it.
func (g *gate) kill() {
	defer g.client.CloseIdleConnections()
	g.Kill()
}
