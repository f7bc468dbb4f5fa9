package test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
	"github.com/hookgate/hookgate/test/matcher"
)

// TestMatchersAnswersAboutUs: a vendor that drops an event upon a 4xx keeps it, and what is
// about the vendor goes back as it is, whichever proxy stands between.
func TestMatchersAnswersAboutUs(t *testing.T) {
	t.Parallel()
	var authorised atomic.Int64
	authorised.Store(http.StatusOK)
	m := &matcher.V2{
		Secret: []byte(hookgatetest.JWTSecret), Exceptions: map[string][]string{tenantA: {exceptionA}},
		Authorise: func(string) int { return int(authorised.Load()) },
	}
	g := start(t, config{store: embedded(t), upstream: serve(t, m), guard: []string{matcher2()}})
	c, body := g.operator(t, tenantA, "admin").mintCallback("JIRA"), fixture(t, "matcher-callback.json")
	post := func(exception string) answer {
		return g.post(t, g.Vendors+callbackOf(exception), body, "X-Callback-Token: "+c.token, "X-Idempotency-Key: one")
	}
	for _, status := range []int64{http.StatusUnauthorized, http.StatusForbidden} {
		authorised.Store(status)
		refused := post(exceptionA)
		wantProblem(t, refused, http.StatusBadGateway, "HKG-1511")
		if len(refused.header["Content-Type"]) != 1 || len(refused.header["X-Content-Type-Options"]) > 0 {
			t.Errorf("headers of Matcher's answer are in ours: %v", refused.header)
		}
	}
	authorised.Store(http.StatusOK)
	m.Begin(tenantA, "JIRA", exceptionA, "one")
	wantProblem(t, post(exceptionA), http.StatusServiceUnavailable, "HKG-1512")
	m.End(tenantA, "JIRA", exceptionA, "one")
	wantMatchers(t, post(exceptionB), http.StatusNotFound, "MTCH-0501")
	wantStatus(t, post(exceptionA), http.StatusOK)
	if accepted, _ := m.Take(); len(accepted) != 1 {
		t.Errorf("Matcher accepted %v", accepted)
	}
	for code, want := range map[string]float64{"HKG-1511": 2, "HKG-1512": 1} {
		wantMetric(t, g, `hookgate_upstream_translations_total{code="`+code+`",kind="callback"}`, want)
	}
	for code, want := range map[string]float64{"401": 1, "403": 1, "409": 1, "404": 1, "200": 1, "502": 0, "none": 0} {
		if got := metric(t, g, `hookgate_upstream_responses_total{code="`+code+`",kind="callback"}`); got != want {
			t.Errorf("%v answers with %s are counted, want %v", got, code, want)
		}
	}
}
