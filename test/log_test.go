package test

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestLogThatNobodyReads: whatever a log is written to can stand still. Requests are
// answered all the same, the process says that it loses lines, and ends when it is told
// to.
func TestLogThatNobodyReads(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("pipes of other systems are as large as they like")
	}
	for name, standStill := range map[string]func(*testing.T, *config){
		"standard error": func(t *testing.T, c *config) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Close(); w.Close() })
			c.stderr = w
		},
		"collector": func(t *testing.T, c *config) {
			l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			c.global = []string{"admin off", "log collector {\n\t\toutput net " + l.Addr().String() + "\n\t\tformat hookgate\n\t\tlevel DEBUG\n\t}"}
		},
		"file": func(t *testing.T, c *config) {
			path := filepath.Join(t.TempDir(), "stuck")
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
			open, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { open.Close() })
			c.global = []string{"admin off", "log stuck {\n\t\toutput file " + path + " {\n\t\t\troll_disabled\n\t\t}\n\t\tformat hookgate\n\t\tlevel DEBUG\n\t}"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config{store: embedded(t)}
			standStill(t, &c)
			g := start(t, c)
			g.client.Timeout = hookgatetest.Patience
			for requests := 0; metric(t, g, "hookgate_log_lines_dropped_total") == 0; requests++ {
				if requests > 500 {
					t.Fatal("no line is dropped")
				}
				for range 50 {
					wantProblem(t, g.use(t, credential{token: "unknown"}), http.StatusUnauthorized, "HKG-1401")
				}
			}
			if r := g.Readiness(); r.Code != http.StatusOK || r.Status != "degraded" || r.Checks.Log.Status != "losing" {
				t.Errorf("/readyz says %+v", r)
			}
			if code := g.stop(); code != 0 {
				t.Errorf("it ends with %d", code)
			}
		})
	}
}
