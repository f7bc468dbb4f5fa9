package test

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestStopBehindReloads: SIGTERM ends the process within grace_period, however many
// reloads are before it, while a request runs that nobody answers.
func TestStopBehindReloads(t *testing.T) {
	t.Parallel()
	for name, signals := range map[string][]syscall.Signal{
		"one":   {syscall.SIGUSR1},
		"two":   {syscall.SIGUSR1, syscall.SIGUSR1},
		"three": {syscall.SIGUSR1, syscall.SIGUSR1, syscall.SIGUSR1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			g := start(t, config{store: embedded(t), upstream: u.addr, patience: hookgatetest.Patience.String(), app: []string{"usage_flush 1h"}})
			admin := g.operator(t, tenantA, "admin")
			used := admin.mintCallback("")
			arrived, never := make(chan struct{}, 1), make(chan struct{})
			t.Cleanup(func() { close(never) })
			u.answerWith(func(http.ResponseWriter, *http.Request) {
				arrived <- struct{}{}
				<-never
			})
			conn := g.dial(t)
			conn.write("POST "+callbackPath+" HTTP/1.1", "Host: x", "X-Callback-Token: "+used.token, "Content-Length: 0")
			<-arrived
			for _, signal := range signals {
				g.Process.Signal(signal)
				time.Sleep(50 * time.Millisecond) // the kernel keeps one signal of a kind for a process
			}
			if code := g.stop(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			g.Restart()
			if admin.find(used).LastUsedAt == "" {
				t.Error("the last use is lost")
			}
		})
	}
}
