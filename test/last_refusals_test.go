package test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestLastRefusals: whichever way a request comes, its refusal is shown with the credential
// that it names, and is still there after a restart.
func TestLastRefusals(t *testing.T) {
	t.Parallel()
	s := embedded(t)
	g := start(t, config{store: s, upstream: newUpstream(t).addr, servers: through, app: []string{"usage_flush 1h"}})
	admin := g.operator(t, tenantA, "admin")
	c, revoked := admin.mintCallback("JIRA"), admin.mintCallback("old")
	wantStatus(t, admin.do(http.MethodPost, "/v1/credentials/"+c.id+"/disable", ""), http.StatusOK)
	admin.revoke(revoked)
	from := func(c credential, address string, more ...string) {
		t.Helper()
		headers := append([]string{"X-Callback-Token: " + c.token, "X-Forwarded-For: " + address}, more...)
		wantProblem(t, g.post(t, g.Vendors+callbackPath, "{}", headers...), http.StatusUnauthorized, "HKG-1401")
	}
	from(c, "203.0.113.7")
	from(c, "2001:db8::7", "X-Note: a", "X-Note: b") // repeated: Caddy's server takes it
	from(revoked, "203.0.113.8")
	shown := func(g *gate, c credential) (refusals []string) {
		t.Helper()
		var got struct {
			LastRefusals []struct{ At, Outcome, Address string }
		}
		a := g.operator(t, tenantA, "viewer").do(http.MethodGet, "/v1/credentials/"+c.id, "")
		if err := json.Unmarshal([]byte(a.body), &got); err != nil {
			t.Fatal(err)
		}
		for _, r := range got.LastRefusals {
			refusals = append(refusals, r.Outcome+" "+r.Address)
		}
		slices.Sort(refusals) // the clock of the data set tells them apart by no less than a millisecond
		return refusals
	}
	want := map[credential][]string{c: {"disabled 2001:db8::7", "disabled 203.0.113.7"}, revoked: {"revoked 203.0.113.8"}}
	check := func(when string) {
		t.Helper()
		for c, want := range want {
			if got := shown(g, c); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
		}
	}
	check("before they are written")
	metrics := g.Metrics(t)
	ways := []string{"served", "declined"}
	if !inLane() {
		ways = nil
	}
	for _, way := range ways {
		series := `hookgate_express_requests_total{result="` + way + `"} `
		if !strings.Contains(metrics, series) || strings.Contains(metrics, series+"0\n") {
			t.Errorf("no request was %s", way)
		}
	}
	g.stop()
	g = start(t, g.config)
	check("after a restart")
}
