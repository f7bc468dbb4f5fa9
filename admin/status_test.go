package admin_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
)

func statusServer(t *testing.T, config admin.StatusConfig) *server {
	t.Helper()
	return &server{t: t, handler: admin.NewStatus(config), store: config.Store, log: &logBuffer{}}
}

// loadedStore returns a store whose keyring is loaded.
func loadedStore(t *testing.T) *store.Store {
	t.Helper()
	s := newStore(t, store.Config{EmbeddedDir: t.TempDir(), Namespace: "hookgate"})
	await(t, s, func(stats store.Stats) bool { return stats.Loaded && stats.RedisUp })
	return s
}

// await polls a store, which tells nobody when its state changes.
func await(t testing.TB, s *store.Store, reached func(store.Stats) bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !reached(s.Stats(time.Now())); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the store stayed at %+v", s.Stats(time.Now()))
		}
	}
}

// lostStore returns a store with a loaded keyring whose Redis is gone.
func lostStore(t *testing.T) *store.Store {
	t.Helper()
	redis := miniredis.RunT(t)
	s := newStore(t, store.Config{Redis: redisconn.Server{URLs: []string{"redis://" + redis.Addr()}}, Namespace: "hookgate"})
	await(t, s, func(stats store.Stats) bool { return stats.Loaded && stats.RedisUp })
	redis.Close()
	await(t, s, func(stats store.Stats) bool { return !stats.RedisUp })
	return s
}

// unreachableStore returns a store that has no Redis.
func unreachableStore(t *testing.T) *store.Store {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	return newStore(t, store.Config{Redis: redisconn.Server{URLs: []string{"redis://:hunter2@" + listener.Addr().String()}}, Namespace: "hookgate"})
}

func TestHealth(t *testing.T) {
	s := statusServer(t, admin.StatusConfig{Store: unreachableStore(t)})
	for _, method := range []string{"GET", "HEAD"} {
		a := s.must(200, "", method, "/healthz", "")
		if a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", a.Header)
		}
		if method == "GET" && strings.TrimSpace(string(a.body)) != `{"status":"ok"}` {
			t.Errorf("%s", a.body)
		}
	}
}

func TestReadiness(t *testing.T) {
	loaded, unreachable := loadedStore(t), unreachableStore(t)
	later := func() time.Time { return time.Now().Add(time.Hour) }
	draining := func() bool { return true }
	for _, c := range []struct {
		name   string
		config admin.StatusConfig
		status int
		want   string // status, keyring, redis, process
	}{
		{"loaded", admin.StatusConfig{Store: loaded, MaxStaleness: time.Hour}, 200, "ok ok ok ok"},
		{"stale", admin.StatusConfig{Store: loaded, MaxStaleness: time.Minute, Now: later}, 503, "unavailable stale ok ok"},
		{"without Redis", admin.StatusConfig{Store: lostStore(t), MaxStaleness: time.Hour}, 200, "degraded ok down ok"},
		{"draining", admin.StatusConfig{Store: loaded, MaxStaleness: time.Hour, Draining: draining}, 503, "unavailable ok ok draining"},
		{"never loaded", admin.StatusConfig{Store: unreachable, MaxStaleness: time.Hour}, 503, "unavailable unloaded down ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := statusServer(t, c.config)
			a := s.must(c.status, "", "GET", "/readyz", "")
			if got := readinessOf(t, a); got != c.want {
				t.Errorf("got %q, want %q\n%s", got, c.want, a.body)
			}
			if strings.Contains(string(a.body), "127.0.0.1") || strings.Contains(string(a.body), "hunter2") {
				t.Errorf("too much is said: %s", a.body)
			}
			s.must(c.status, "", "HEAD", "/readyz", "")
		})
	}
}

func readinessOf(t *testing.T, a answer) string {
	t.Helper()
	doc := a.decode(t)
	words := []string{at(t, doc, "status").(string)}
	for _, name := range []string{"keyring", "redis", "process"} {
		words = append(words, at(t, doc, "checks", name, "status").(string))
	}
	return strings.Join(words, " ")
}

func TestMetrics(t *testing.T) {
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hookgate_redis_up 1\n") })
	store := unreachableStore(t)
	a := statusServer(t, admin.StatusConfig{Store: store, Metrics: metrics}).must(200, "", "GET", "/metrics", "")
	if string(a.body) != "hookgate_redis_up 1\n" {
		t.Errorf("%s", a.body)
	}
	checkProblem(t, statusServer(t, admin.StatusConfig{Store: store}).as("", "GET", "/metrics", ""), 404, "HKG-2404")
}

func TestStatusRefusals(t *testing.T) {
	s := statusServer(t, admin.StatusConfig{Store: unreachableStore(t)})
	checkProblem(t, s.as("", "GET", "/", ""), 404, "HKG-2404")
	checkProblem(t, s.as("", "GET", callbacksPath, ""), 404, "HKG-2404")
	a := s.as("", "POST", "/readyz", "")
	checkProblem(t, a, 405, "HKG-2405")
	if a.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("Allow %q", a.Header.Get("Allow"))
	}
}

// TestOneListenerForBoth: what the two handlers serve is disjoint.
func TestOneListenerForBoth(t *testing.T) {
	api := newServer(t)
	status := admin.NewStatus(admin.StatusConfig{Store: api.store, MaxStaleness: time.Hour})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if admin.IsStatusPath(r.URL.Path) {
			status.ServeHTTP(w, r)
			return
		}
		api.handler.ServeHTTP(w, r)
	}))
	defer web.Close()
	for path, want := range map[string]int{"/healthz": 200, "/openapi.json": 200, callbacksPath: 401, "/healthz/": 404} {
		response, err := http.Get(web.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, response.StatusCode, want)
		}
	}
}
