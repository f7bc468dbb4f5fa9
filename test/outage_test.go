package test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/store/redistest"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// staleness is short, and yet long enough for a busy machine to see what happens
// before it is over: that a frozen Redis does not answer takes 1.5 s to notice.
var staleness = []string{"max_staleness 5s", "usage_flush 200ms"}

// TestOutage: without Redis known tokens work as long as the keyring is fresh
// enough, then nothing is decided, and all comes back with Redis.
func TestOutage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		begin, end func(*redistest.Server)
	}{
		{"stopped", (*redistest.Server).Stop, (*redistest.Server).Restart},
		{"killed", (*redistest.Server).Kill, (*redistest.Server).Restart},
		{"frozen", (*redistest.Server).Suspend, (*redistest.Server).Resume},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			s := onRedis(t, syncing)
			g := start(t, config{store: s, upstream: u.addr, app: staleness})
			admin := g.operator(t, tenantA, "admin")
			c, w := admin.mintCallback("JIRA"), admin.mintWebhook("pluggy")
			revoked := admin.mintCallback("")
			admin.revoke(revoked)
			unknown := credential{token: plausible("mcb_", 1)}
			wantStatus(t, g.use(t, unknown), http.StatusUnauthorized)

			test.begin(s.redis)
			wantStatus(t, g.use(t, c), http.StatusOK)
			wantStatus(t, g.use(t, w), http.StatusOK)
			wantStatus(t, g.use(t, revoked), http.StatusUnauthorized)
			hookgatetest.Eventually(t, "readiness is degraded", func() bool {
				r := g.Readiness()
				if r.Code != http.StatusOK {
					t.Fatalf("not ready before it was degraded: %+v", r)
				}
				return r.Status == "degraded" && r.Checks.Redis.Status == "down"
			})
			for _, call := range [][3]string{
				{http.MethodGet, callbackCredentials}, {http.MethodGet, webhookTokens},
				{http.MethodPost, callbackCredentials, "{}"},
				{http.MethodPost, webhookTokens, `{"vendor":"pluggy","connection_config_name":"pluggy-main"}`},
				{http.MethodPost, callbackCredentials + "/" + c.id + "/rotate"},
				{http.MethodDelete, callbackCredentials + "/" + c.id},
			} {
				a := admin.do(call[0], call[1], call[2])
				wantProblem(t, a, http.StatusServiceUnavailable, "HKG-2503")
				if a.header.Get("Retry-After") == "" || strings.Contains(string(a.body), s.redis.Addr()) {
					t.Errorf("%s %s: %v %s", call[0], call[1], a.header, a.body)
				}
			}

			if r := g.AwaitReady(http.StatusServiceUnavailable); r.Checks.Keyring.Status != "stale" {
				t.Errorf("%+v", r)
			}
			u.take()
			for _, c := range []credential{c, w, revoked, unknown} {
				wantUndecided(t, g.use(t, c))
			}
			wantUndecided(t, g.get(t, g.Vendors+w.path())) // a probe, too
			// What needs no keyring is answered as ever.
			wantProblem(t, g.post(t, g.Vendors+callbackPath, "{}"), http.StatusUnauthorized, "HKG-1401")
			wantProblem(t, g.use(t, credential{token: c.token + "x"}), http.StatusUnauthorized, "HKG-1401")
			wantProblem(t, g.post(t, g.Vendors+"/nowhere", "{}"), http.StatusNotFound, "HKG-1404")
			wantStatus(t, g.get(t, g.Status+"/healthz"), http.StatusOK)
			u.wantNothing(t)

			test.end(s.redis)
			if r := g.AwaitReady(http.StatusOK); r.Status != "ok" {
				t.Errorf("%+v", r)
			}
			wantStatus(t, g.use(t, c), http.StatusOK)
			wantStatus(t, g.use(t, w), http.StatusOK)
			wantProblem(t, g.use(t, revoked), http.StatusUnauthorized, "HKG-1401")
			wantProblem(t, g.use(t, unknown), http.StatusUnauthorized, "HKG-1401")
			// The admin API's own connections may take up to a second longer.
			hookgatetest.Eventually(t, "the admin API is back", func() bool {
				return admin.do(http.MethodPost, callbackCredentials, "{}").status == http.StatusCreated
			})
			wantStatus(t, g.use(t, admin.mintCallback("after")), http.StatusOK)
			hookgatetest.Eventually(t, "uses during the outage are written", func() bool {
				return strings.Contains(g.Metrics(t), "hookgate_usage_pending 0\n")
			})
			if entry := admin.find(c); entry.LastUsedAt == "" {
				t.Errorf("%+v", entry)
			}
		})
	}
}

// wantUndecided checks the answer to a request that nobody can decide on.
func wantUndecided(t testing.TB, a answer) {
	t.Helper()
	wantProblem(t, a, http.StatusServiceUnavailable, "HKG-1503")
	if a.header.Get("Retry-After") == "" || a.header.Get("WWW-Authenticate") != "" {
		t.Errorf("header: %v", a.header)
	}
}

// TestStartWithoutRedis: the process comes up, decides nothing, and recovers.
func TestStartWithoutRedis(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	s := onRedis(t, syncing)
	g := start(t, config{store: s, upstream: u.addr, app: staleness})
	admin := g.operator(t, tenantA, "admin")
	c := admin.mintCallback("JIRA")
	g.stop()
	s.redis.Stop()

	g.Run()
	if r := g.AwaitReady(http.StatusServiceUnavailable); r.Checks.Keyring.Status != "unloaded" {
		t.Errorf("%+v", r)
	}
	wantUndecided(t, g.use(t, c))
	wantUndecided(t, g.use(t, credential{token: plausible("mcb_", 1)}))
	wantProblem(t, g.post(t, g.Vendors+callbackPath, "{}"), http.StatusUnauthorized, "HKG-1401")
	wantProblem(t, admin.do(http.MethodPost, callbackCredentials, "{}"), http.StatusServiceUnavailable, "HKG-2503")
	u.wantNothing(t)

	s.redis.Restart()
	g.AwaitReady(http.StatusOK)
	wantStatus(t, g.use(t, c), http.StatusOK)
	wantProblem(t, g.use(t, credential{token: plausible("mcb_", 1)}), http.StatusUnauthorized, "HKG-1401")
	hookgatetest.Eventually(t, "the admin API is back", func() bool {
		return admin.do(http.MethodGet, callbackCredentials, "").status == http.StatusOK
	})
	wantOrder(t, admin.list(callbackCredentials), c)
}

// TestEmptiedRedis: a Redis that lost its data means that nobody can tell, and not
// that every token is unknown. Nothing is written into it either.
func TestEmptiedRedis(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	s := onRedis(t) // keeps nothing
	g := start(t, config{store: s, upstream: u.addr, app: staleness})
	admin := g.operator(t, tenantA, "admin")
	c := admin.mintCallback("JIRA")
	s.redis.Restart()

	hookgatetest.Eventually(t, "nothing is decided any more", func() bool {
		a := g.use(t, c)
		if a.status != http.StatusOK {
			wantUndecided(t, a)
		}
		return a.status != http.StatusOK
	})
	wantUndecided(t, g.use(t, credential{token: plausible("mcb_", 1)}))
	wantProblem(t, admin.do(http.MethodPost, callbackCredentials, "{}"), http.StatusServiceUnavailable, "HKG-2503")
	if r := g.Readiness(); r.Code != http.StatusServiceUnavailable {
		t.Errorf("%+v", r)
	}
	if n := s.redis.Client().DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys in the emptied Redis", n)
	}
}
