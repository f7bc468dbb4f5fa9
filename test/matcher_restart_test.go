package test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
	"github.com/hookgate/hookgate/test/matcher"
)

// TestMatcherRestartsUnderLoad: vendors that send again upon 5xx and 429, and drop an event
// upon any other refusal, lose none and have none processed twice.
func TestMatcherRestartsUnderLoad(t *testing.T) {
	t.Parallel()
	const events, perSecond = 1000, 200
	m := &matcher.V2{
		Secret: []byte(hookgatetest.JWTSecret), DispatchLimit: -1, CallbackLimit: -1, Exceptions: map[string][]string{tenantA: {exceptionA}},
	}
	listen := func(address string) (*http.Server, string) {
		t.Helper()
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: m}
		go server.Serve(l)
		t.Cleanup(func() { server.Close() })
		return server, l.Addr().String()
	}
	server, address := listen("127.0.0.1:0")
	g := start(t, config{store: embedded(t), upstream: address, guard: []string{matcher2()}})
	c, body := g.operator(t, tenantA, "admin").mintCallback("JIRA"), fixture(t, "matcher-callback.json")

	var repeats, lost atomic.Int64
	send := func(event int) {
		own := strings.Replace(body, "RECON-1234", fmt.Sprintf("RECON-%d", event), 1)
		for deadline := time.Now().Add(hookgatetest.Patience); time.Now().Before(deadline); repeats.Add(1) {
			a := g.post(t, g.Vendors+callbackOf(exceptionA), own, "X-Callback-Token: "+c.token, "Content-Type: application/json")
			switch {
			case a.status == http.StatusOK:
				return
			case a.status < 500 && a.status != http.StatusTooManyRequests:
				t.Errorf("event %d is dropped upon %d: %s", event, a.status, a.body)
				lost.Add(1)
				return
			}
			time.Sleep(50 * time.Millisecond) // as a vendor would, only longer
		}
		lost.Add(1)
	}
	var vendors sync.WaitGroup
	pace := time.NewTicker(time.Second / perSecond)
	defer pace.Stop()
	for event := range events {
		<-pace.C
		vendors.Go(func() { send(event) })
		switch event {
		case events / 5:
			server.Close() // and whatever it had taken; longer than a request waits for it
		case 4 * events / 5:
			server, _ = listen(address)
		}
	}
	vendors.Wait()
	accepted, _ := m.Take()
	times := map[string]int{}
	for _, delivery := range accepted {
		times[delivery.Body]++
	}
	for what, n := range times {
		if n != 1 {
			t.Errorf("processed %d times: %s", n, what)
		}
	}
	if len(times) != events || lost.Load() > 0 {
		t.Errorf("%d of %d events are processed, %d are lost", len(times), events, lost.Load())
	}
	if repeats.Load() == 0 {
		t.Error("nobody noticed the restart")
	}
}
