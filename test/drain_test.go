package test

import (
	"bufio"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestDrain: asked to end, a gate says at once that it is not ready, goes on serving
// for shutdown_delay, answers what is under way within grace_period, and cuts off the
// rest.
func TestDrain(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{
		store: embedded(t), upstream: u.addr, patience: hookgatetest.Patience.String(),
		global: []string{"shutdown_delay 3s"}, app: []string{"usage_flush 1h"},
	})
	admin := g.operator(t, tenantA, "admin")
	slow, hanging, late := admin.mintCallback("slow"), admin.mintCallback("hanging"), admin.mintCallback("late")
	release, never := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(never) })
	arrived := make(chan struct{}, 2)
	u.answerWith(func(w http.ResponseWriter, r *http.Request) {
		wait := map[string]chan struct{}{slow.id: release, hanging.id: never}[r.Header.Get("X-Hookgate-Credential-Id")]
		if wait == nil {
			return
		}
		arrived <- struct{}{}
		<-wait
		w.WriteHeader(http.StatusAccepted)
	})
	post := func(c credential) *connection {
		conn := g.dial(t)
		conn.write("POST "+callbackPath+" HTTP/1.1", "Host: x", "X-Callback-Token: "+c.token, "Content-Length: 0")
		return conn
	}
	answered, cut := post(slow), post(hanging)
	<-arrived
	<-arrived

	g.Process.Signal(syscall.SIGTERM)
	r := g.AwaitReady(http.StatusServiceUnavailable)
	if r.Checks.Process.Status != "draining" || r.Checks.Keyring.Status != "ok" {
		t.Errorf("/readyz: %+v", r)
	}
	wantStatus(t, g.get(t, g.Status+"/healthz"), http.StatusOK)
	// Who has not heard of it yet still sends, on new connections too.
	wantStatus(t, post(late).answer(http.MethodPost), http.StatusOK)
	hookgatetest.Eventually(t, "the servers shut down", func() bool {
		return strings.Contains(g.Output.String(), "servers shutting down; grace period initiated")
	})
	close(release)
	a := answered.answer(http.MethodPost)
	wantStatus(t, a, http.StatusAccepted)
	answered.wantEnd()
	if _, err := http.ReadResponse(bufio.NewReader(cut), nil); err == nil {
		t.Error("what nobody answered got an answer")
	}
	if !g.Process.Wait(hookgatetest.Patience) || g.Process.ExitCode() != 0 {
		t.Errorf("exit code %d", g.Process.ExitCode())
	}
	g.client.CloseIdleConnections()
	g.Restart()
	for _, c := range []credential{slow, late, hanging} {
		if admin.find(c).LastUsedAt == "" {
			t.Error("a use is lost")
		}
	}
}
