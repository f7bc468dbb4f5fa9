package test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// proxyOfExample returns the lines of hookgate_proxy in Caddyfile.example. How long
// it goes on dialling is left to the machine that the test runs on.
func proxyOfExample(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(text), "hookgate_proxy matcher:4018 {\n")
	block, _, closed := strings.Cut(block, "\n\t}\n")
	if !found || !closed || !strings.Contains(block, "try_duration 2s") {
		t.Fatalf("no hookgate_proxy in the example: %s", block)
	}
	return strings.Split(strings.Replace(block, "try_duration 2s", "try_duration "+hookgatetest.Patience.String(), 1), "\n")
}

// TestUpstreamRestarts: what is posted while Matcher is down arrives when it is
// back, once each.
func TestUpstreamRestarts(t *testing.T) {
	t.Parallel()
	if terminal != "hookgate_proxy" {
		t.Skip("the example uses hookgate_proxy")
	}
	for name, guard := range map[string][]string{"streamed": nil, "in memory": {"idempotency_key body"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testUpstreamRestarts(t, guard)
		})
	}
}

func testUpstreamRestarts(t *testing.T, guard []string) {
	u := &upstream{addr: fmt.Sprintf("127.0.0.1:%d", hookgatetest.FreePort(t))} // nobody listens yet
	g := start(t, config{store: embedded(t), upstream: u.addr, guard: guard, proxy: proxyOfExample(t)})
	operator := g.operator(t, tenantA, "admin")
	c, w := operator.mintCallback("JIRA"), operator.mintWebhook("pluggy")

	const n = 8
	body := strings.Repeat("0123456789abcdef", 1<<10)
	var answers sync.WaitGroup
	for i := range n {
		answers.Go(func() {
			numbered := strconv.Itoa(i) + body
			var reader io.Reader = strings.NewReader(numbered)
			if i%2 == 1 {
				reader = io.MultiReader(reader) // without a length
			}
			target, headers := w.path(), []string(nil)
			if i%4 < 2 {
				target, headers = callbackPath, []string{"X-Callback-Token: " + c.token}
			}
			if a := g.sendTarget(t, target, reader, headers...); a.status != http.StatusOK {
				t.Errorf("%d: %d: %s", i, a.status, a.body)
			}
		})
	}
	hookgatetest.Eventually(t, "all of them are let through", func() bool {
		metrics := g.Metrics(t)
		for kind, vendor := range map[string]string{"callback": "", "webhook": "other"} {
			if !strings.Contains(metrics, fmt.Sprintf("hookgate_auth_requests_total{kind=%q,outcome=\"allowed\",vendor=%q} %d\n", kind, vendor, n/2)) {
				return false
			}
		}
		return true
	})
	time.Sleep(time.Second) // how long Matcher takes to restart
	u.wantNothing(t)
	listener, err := net.Listen("tcp", u.addr)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: u}
	t.Cleanup(func() { server.Close() })
	go server.Serve(listener)

	answers.Wait()
	arrived := make(map[string]int)
	for _, r := range u.take() {
		if r.broken {
			t.Errorf("%s %s: %d bytes, broken", r.method, r.target, len(r.body))
		}
		arrived[r.body]++
	}
	for i := range n {
		if count := arrived[strconv.Itoa(i)+body]; count != 1 {
			t.Errorf("%d arrived %d times", i, count)
		}
	}
}
