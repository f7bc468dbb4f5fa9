package test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// TestOneProcessAnAddress: a second process on the same address would share the
// connections of vendors, who would be refused by the one that does not know them.
func TestOneProcessAnAddress(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("two processes on one address are noticed on Linux alone")
	}
	first := start(t, config{store: embedded(t)})
	c := first.operator(t, tenantA, "admin").mintCallback("JIRA")
	elsewhere := func() ports { return ports{freePort(t), freePort(t), freePort(t)} }
	for which, share := range map[string]func(*ports){
		"vendors":   func(p *ports) { p.Vendors = first.ports.Vendors },
		"operators": func(p *ports) { p.Admin = first.ports.Admin },
		"probes":    func(p *ports) { p.Status = first.ports.Status },
	} {
		t.Run(which, func(t *testing.T) {
			second := &gate{t: t, dir: t.TempDir()}
			at := elsewhere()
			share(&at)
			second.write(config{store: embedded(t)}.text(t, at))
			stdout, stderr, code := execute(t, command(second.dir, "run", "--config", second.caddyfile(), "--adapter", "caddyfile"))
			if code == 0 || !strings.Contains(stdout+stderr, "another Hookgate serves 127.0.0.1:") {
				t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
			}
		})
	}
	t.Run("by a reload", func(t *testing.T) {
		second := start(t, config{store: embedded(t)})
		taken := second.ports
		taken.Vendors = first.ports.Vendors
		second.write(second.config.text(t, taken))
		second.reload(fmt.Sprintf("another Hookgate serves 127.0.0.1:%d", first.ports.Vendors))
		second.awaitReady(http.StatusOK) // as before
		// Its own it can go on serving, and give up one for another.
		moved := second.ports
		moved.Vendors = freePort(t)
		second.write(second.config.text(t, moved))
		second.reload(reloaded)
		left := second.ports
		third := &gate{t: t, config: config{store: embedded(t)}, dir: t.TempDir(), client: newClient(t)}
		third.ports = ports{left.Vendors, freePort(t), freePort(t)}
		third.status = fmt.Sprintf("http://127.0.0.1:%d", third.ports.Status)
		third.write(third.config.text(t, third.ports))
		t.Cleanup(func() { third.kill() })
		third.run()
	})
	// The first has not been disturbed, and what it served is free with its end.
	wantProblem(t, first.use(t, c), http.StatusBadGateway, "HKG-1502")
	first.kill()
	first.restart()
}
