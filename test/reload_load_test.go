package test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

const (
	// reloads under load: as many as a deployment sees in years.
	reloads = 200
	// other reloads: over the admin endpoint, and of what does not load.
	otherReloads = 20
	// leak is more than a process has of anything at one time and not at another, and
	// less than it had if every reload left one behind.
	leak = otherReloads - 1
)

// TestReloadUnderLoad: reloading drops no request, reads no keyring and leaves
// nothing behind, however it is done and whether it succeeds.
func TestReloadUnderLoad(t *testing.T) {
	for name, servers := range map[string][]string{
		"every protocol": nil,
		"as the example": {"protocols h1", "timeouts {\n\t\t\tread_header 10s\n\t\t\tread_body 30s\n\t\t\twrite_idle 10s\n\t\t\tidle 2m\n\t\t}"},
	} {
		t.Run(name, func(t *testing.T) { testReloadUnderLoad(t, servers) })
	}
}

func testReloadUnderLoad(t *testing.T, servers []string) {
	s := onRedis(t)
	matcher := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	t.Cleanup(matcher.Close)
	endpoint := fmt.Sprintf("127.0.0.1:%d", hookgatetest.FreePort(t))
	c := config{store: s, upstream: strings.TrimPrefix(matcher.URL, "http://"), global: []string{"admin " + endpoint}, servers: servers}
	if terminal == "reverse_proxy" {
		// Of a transport without any setting Caddy does not close the idle connections;
		// they end two minutes after a reload.
		c.proxy = []string{"transport http {", "dial_timeout 1s", "}"}
	}
	g := start(t, c)
	admin := g.operator(t, tenantA, "admin")
	jira, pluggy := admin.mintCallback("JIRA"), admin.mintWebhook("pluggy")
	g.stop() // the keyring was read again with the first mint
	g.Restart()
	callback := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nX-Callback-Token: %s\r\nContent-Length: 2\r\n\r\n{}", callbackPath, jira.token)
	webhook := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", pluggy.path())
	l := startLoad(t, strings.TrimPrefix(g.Vendors, "http://"),
		vendorClient{callback, true, 0}, vendorClient{webhook, true, 0},
		vendorClient{callback, true, time.Millisecond}, vendorClient{webhook, true, 10 * time.Millisecond},
		vendorClient{callback, false, 0}, vendorClient{webhook, false, time.Millisecond},
	)
	for range otherReloads {
		g.Reload(reloaded)
	}
	redis := s.redis.Client()
	before := g.resources(t, redis)

	began := time.Now()
	for range reloads {
		g.Reload(reloaded)
	}
	t.Logf("%d reloads in %v", reloads, time.Since(began).Round(time.Millisecond))
	right := g.config.text(t, g.ports)
	for _, wrong := range []string{
		strings.Replace(right, "HOOKGATE_TEST_SECRET", "HOOKGATE_NO_SUCH", 1),                  // is not provisioned
		right + "http://:" + port(s.redis.Addr()) + " {\nbind 127.0.0.1\nhookgate_status\n}\n", // is not started
	} {
		g.write(wrong)
		for range otherReloads {
			g.Reload(notLoaded)
		}
	}
	// Last: from then on Caddy ignores SIGUSR1, since the file is not what runs.
	for range otherReloads {
		wantStatus(t, g.post(t, "http://"+endpoint+"/load", right, "Content-Type: text/caddyfile", "Cache-Control: must-revalidate"), http.StatusOK)
	}
	l.wantNoneFailed(t)

	after := g.resources(t, redis)
	for deadline := time.Now().Add(hookgatetest.Patience); after.leaks(before) && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		after = g.resources(t, redis)
	}
	if after.leaks(before) || after.resyncs != before.resyncs || after.metrics != before.metrics {
		t.Errorf("before: %+v\nafter: %+v", before, after)
	}
}

// resources is what a process holds.
type resources struct {
	goroutines, descriptors, redis int
	resyncs                        string // how often the keyring was read, and why
	metrics                        string // their names, in order
}

func (g *gate) resources(t testing.TB, server *redis.Client) (r resources) {
	t.Helper()
	for line := range strings.Lines(g.Metrics(t)) {
		if name, found := strings.CutPrefix(line, "# TYPE hookgate_"); found {
			r.metrics += name
		}
		if strings.HasPrefix(line, "hookgate_keyring_resyncs_total") {
			r.resyncs += line
		}
	}
	r.goroutines = int(metric(t, g, "go_goroutines"))
	r.descriptors = int(metric(t, g, "process_open_fds"))
	r.redis = strings.Count(server.ClientList(t.Context()).Val(), "\n")
	return r
}

func (r resources) leaks(before resources) bool {
	return r.goroutines > before.goroutines+leak || r.descriptors > before.descriptors+leak || r.redis > before.redis+leak
}
