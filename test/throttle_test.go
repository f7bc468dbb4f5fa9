package test

import (
	"net/http"
	"strconv"
	"testing"
)

// TestFailureLimit: who is refused too often is told to wait, who has a live
// credential is not, at whatever address they sit.
func TestFailureLimit(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, servers: through, guard: []string{"max_body 1KB", "failure_limit 3 1h"}})
	c := g.operator(t, tenantA, "admin").mintCallback("")
	post := func(client, token string) answer {
		return g.post(t, g.Vendors+callbackPath, "{}", "X-Callback-Token: "+token, "X-Forwarded-For: "+client)
	}
	refused := func(client string) {
		t.Helper()
		wantProblem(t, post(client, plausible("mcb_", 1)), http.StatusUnauthorized, "HKG-1401")
	}
	throttled := func(client string) {
		t.Helper()
		a := post(client, plausible("mcb_", 1))
		wantProblem(t, a, http.StatusTooManyRequests, "HKG-1429")
		// A failure is forgotten every 20 minutes.
		if wait, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || wait < 1 || wait > 20*60 {
			t.Errorf("Retry-After: %q", a.header["Retry-After"])
		}
	}
	for range 3 {
		refused("203.0.113.9")
	}
	throttled("203.0.113.9")
	throttled("198.51.100.7, 203.0.113.9") // what the client itself claims does not help
	refused("203.0.113.10")
	wantStatus(t, post("203.0.113.9", c.token), http.StatusOK)
	throttled("203.0.113.9")
	u.one(t)

	refused("2001:db8:1:2::1")
	refused("2001:db8:1:2::2")
	refused("2001:db8:1:2:3:4:5:6")
	throttled("2001:db8:1:2:ffff::")
	refused("2001:db8:1:3::1")

	// Only a 401 is replaced.
	wantProblem(t, g.post(t, g.Vendors+"/nowhere", "{}", "X-Forwarded-For: 203.0.113.9"), http.StatusNotFound, "HKG-1404")
	wantProblem(t, g.post(t, g.Vendors+"//", "{}", "X-Forwarded-For: 203.0.113.9"), http.StatusBadRequest, "HKG-1400")
	wantProblem(t, g.get(t, g.Vendors+callbackPath, "X-Forwarded-For: 203.0.113.9"), http.StatusMethodNotAllowed, "HKG-1405")

	// A reload forgets nothing where the setting stays.
	g.config.guard[0] = "max_body 2KB"
	g.write(g.config.text(t, g.ports))
	g.Reload(reloaded)
	throttled("203.0.113.9")
	g.config.guard[1] = "failure_limit 4 1h"
	g.write(g.config.text(t, g.ports))
	g.Reload(reloaded)
	refused("203.0.113.9")
	u.wantNothing(t)
}
