package test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

const (
	reloaded  = "successfully reloaded config from file"
	notLoaded = "failed to reload config from file"
)

// TestReload: a new configuration keeps credentials, keyring and counters, and one
// that is wrong changes nothing.
func TestReload(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		u := newUpstream(t)
		g := start(t, config{store: s, upstream: u.addr})
		admin := g.operator(t, tenantA, "admin")
		before := admin.mintCallback("before")
		// Reading the keyring anew because the data set has just begun is no concern of
		// this test; a new process starts with the data set there.
		g.stop()
		g.Restart()
		revoked := admin.mintCallback("")
		admin.revoke(revoked)
		wantStatus(t, g.use(t, before), http.StatusOK)
		wantMetric(t, g, `hookgate_keyring_resyncs_total{reason="boot"}`, 1)
		wantMetric(t, g, `hookgate_auth_requests_total{kind="callback",outcome="allowed",vendor=""}`, 1)

		long := strings.Repeat("x", 2000)
		post := func() answer {
			return g.post(t, g.Vendors+callbackPath, long, "X-Callback-Token: "+before.token)
		}
		wantStatus(t, post(), http.StatusOK)
		g.config.guard = []string{"max_body 1KB"}
		g.config.app = []string{"usage_flush 100ms", "max_staleness 20s"}
		g.write(g.config.text(t, g.ports))
		g.Reload(reloaded)
		hookgatetest.Eventually(t, "the new configuration serves", func() bool {
			return post().status == http.StatusRequestEntityTooLarge
		})
		wantProblem(t, post(), http.StatusRequestEntityTooLarge, "HKG-1413")
		check := func() {
			t.Helper()
			wantStatus(t, g.use(t, before), http.StatusOK)
			wantProblem(t, g.use(t, revoked), http.StatusUnauthorized, "HKG-1401")
			wantMetric(t, g, `hookgate_keyring_resyncs_total{reason="boot"}`, 1)
			wantMetric(t, g, `hookgate_redis_up`, 1)
			for line := range strings.Lines(g.Metrics(t)) {
				if name, found := strings.CutPrefix(line, "# TYPE "); found && strings.Count(g.Metrics(t), line) != 1 {
					t.Errorf("given more than once: %s", name)
				}
			}
			after := admin.mintCallback("after")
			wantStatus(t, g.use(t, after), http.StatusOK)
		}
		check()
		if got := metric(t, g, `hookgate_auth_requests_total{kind="callback",outcome="allowed",vendor=""}`); got < 4 {
			t.Errorf("%v accepted requests are counted, want 4", got)
		}

		right := g.config.text(t, g.ports)
		for name, wrong := range map[string]string{
			"not a Caddyfile":  "{{{",
			"unknown word":     strings.Replace(right, "usage_flush", "flush", 1),
			"missing secret":   strings.Replace(right, "HOOKGATE_TEST_SECRET", "HOOKGATE_NO_SUCH", 1),
			"listener in use":  strings.Replace(right, "hookgate_status\n}", "hookgate_status\n}\nhttp://:"+port(u.addr)+" {\nbind 127.0.0.1\nhookgate_status\n}", 1),
			"two options":      strings.Replace(right, "persist_config off", "persist_config off\n\thookgate {\n\t\tredis embedded /dev/null\n\t}", 1),
			"tls before ours":  strings.Replace(right, "hookgate\n\t\t\ttls", "tls\n\t\t\thookgate", 1),
			"other store, bad": strings.Replace(right, "redis "+s.words, "redis embedded /dev/null/x", 1),
		} {
			t.Run(name, func(t *testing.T) {
				if wrong == right {
					t.Fatal("nothing is wrong")
				}
				g.write(wrong)
				g.Reload(notLoaded)
				check()
				wantProblem(t, post(), http.StatusRequestEntityTooLarge, "HKG-1413")
			})
		}
		g.write(right)
		g.Reload(reloaded)
		check()
		if g.stop() != 0 {
			t.Errorf("exit code %d", g.Process.ExitCode())
		}
	})
}

func port(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// wantMetric checks the value of one series.
func wantMetric(t testing.TB, g *gate, series string, want float64) {
	t.Helper()
	if got := metric(t, g, series); got != want {
		t.Errorf("%s is %v, want %v", series, got, want)
	}
}

// metric returns the value of one series.
func metric(t testing.TB, g *gate, series string) float64 {
	t.Helper()
	for line := range strings.Lines(g.Metrics(t)) {
		if value, found := strings.CutPrefix(line, series+" "); found {
			number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return number
		}
	}
	t.Fatalf("%s is missing", series)
	return 0
}

// TestStopWritesLastUse: nothing of lastUsedAt is lost where the process is asked to
// end.
func TestStopWritesLastUse(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		u := newUpstream(t)
		g := start(t, config{store: s, upstream: u.addr, app: []string{"usage_flush 1h"}})
		admin := g.operator(t, tenantA, "admin")
		c, w, unused := admin.mintCallback(""), admin.mintWebhook("pluggy"), admin.mintCallback("")
		wantStatus(t, g.use(t, c), http.StatusOK)
		wantStatus(t, g.use(t, w), http.StatusOK)
		shown := map[string]string{c.id: admin.find(c).LastUsedAt, w.id: admin.find(w).LastUsedAt}
		if s.redis != nil && s.redis.Client().HExists(t.Context(), "{hookgate}:c:"+c.id, "lu").Val() {
			t.Error("written before the flush was due")
		}
		if code := g.stop(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		g.Restart()
		for _, c := range []credential{c, w} {
			if got := admin.find(c).LastUsedAt; got == "" || got != shown[c.id] {
				t.Errorf("lastUsedAt is %q after a restart, %q before", got, shown[c.id])
			}
		}
		if got := admin.find(unused).LastUsedAt; got != "" {
			t.Errorf("lastUsedAt of an unused credential: %q", got)
		}
	})
}

// TestStopLetsRequestsFinish: a request that is under way when the process is asked
// to end gets its answer, and its use is written.
func TestStopLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, app: []string{"usage_flush 1h"}})
	admin := g.operator(t, tenantA, "admin")
	c := admin.mintCallback("")
	arrived, release := make(chan struct{}), make(chan struct{})
	u.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		w.WriteHeader(http.StatusAccepted)
	})
	answered := make(chan answer)
	go func() {
		defer close(answered) // also where use fails
		answered <- g.use(t, c)
	}()
	<-arrived
	ended := make(chan int)
	go func() {
		defer close(ended)
		ended <- g.stop()
	}()
	hookgatetest.Eventually(t, "hookgate shuts down", func() bool {
		return strings.Contains(g.Output.String(), "shutting down apps")
	})
	close(release)
	if a := <-answered; a.status != http.StatusAccepted {
		t.Errorf("status %d", a.status)
	}
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
	g.Restart()
	if admin.find(c).LastUsedAt == "" {
		t.Error("the use is lost")
	}
}
