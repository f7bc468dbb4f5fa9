package test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
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
	for which, share := range map[string]func(*hookgatetest.Ports){
		"vendors":   func(p *hookgatetest.Ports) { p.Vendors = first.ports.Vendors },
		"operators": func(p *hookgatetest.Ports) { p.Admin = first.ports.Admin },
		"probes":    func(p *hookgatetest.Ports) { p.Status = first.ports.Status },
	} {
		t.Run(which, func(t *testing.T) {
			at := hookgatetest.FreePorts(t)
			share(&at)
			stdout, stderr, code := hookgatetest.Run(t, hookgatetest.Serve(t, t.TempDir(), config{store: embedded(t)}.text(t, at)))
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
		second.Reload(fmt.Sprintf("another Hookgate serves 127.0.0.1:%d", first.ports.Vendors))
		second.AwaitReady(http.StatusOK) // as before
		// Its own it can go on serving, and give up one for another.
		moved := second.ports
		moved.Vendors = hookgatetest.FreePort(t)
		second.write(second.config.text(t, moved))
		second.Reload(reloaded)
		given := hookgatetest.FreePorts(t)
		given.Vendors = second.ports.Vendors
		launchAt(t, config{store: embedded(t)}, given)
	})
	// The first has not been disturbed, and what it served is free with its end.
	wantProblem(t, first.use(t, c), http.StatusBadGateway, "HKG-1502")
	first.kill()
	first.Restart()
}
