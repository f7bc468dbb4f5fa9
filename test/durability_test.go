package test

import (
	"net/http"
	"testing"
)

// TestAcknowledgedChangesSurviveAKill: what an operator was told to be done is done,
// even where the process ends right after it.
func TestAcknowledgedChangesSurviveAKill(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		store func(testing.TB) store
		kill  func(*gate)
	}{
		{"embedded", embedded, (*gate).kill},
		{"redis", func(t testing.TB) store { return onRedis(t) }, (*gate).kill},
		{"redis too", func(t testing.TB) store { return onRedis(t, syncing) }, func(g *gate) {
			g.kill()
			g.config.store.redis.Kill()
			g.config.store.redis.Restart()
		}},
		{"redis alone", func(t testing.TB) store { return onRedis(t, syncing) }, func(g *gate) {
			g.config.store.redis.Kill()
			g.kill() // it has not been told about it
			g.config.store.redis.Restart()
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			g := start(t, config{store: test.store(t), upstream: u.addr})
			killed := func() {
				t.Helper()
				test.kill(g)
				g.Restart()
			}
			admin := g.operator(t, tenantA, "admin")

			// The very first change creates the data set.
			c := admin.mintCallback("JIRA")
			killed()
			wantStatus(t, g.use(t, c), http.StatusOK)
			wantHeader(t, u.one(t), "X-Hookgate-Credential-Id", c.id)

			w := admin.mintWebhook("pluggy")
			killed()
			wantStatus(t, g.use(t, w), http.StatusOK)

			fresh := admin.rotate(c)
			killed()
			wantStatus(t, g.use(t, fresh), http.StatusOK)
			wantProblem(t, g.use(t, c), http.StatusUnauthorized, "HKG-1401")

			admin.revoke(fresh)
			killed()
			wantProblem(t, g.use(t, fresh), http.StatusUnauthorized, "HKG-1401")
			admin.revoke(w)
			killed()
			wantProblem(t, g.use(t, w), http.StatusUnauthorized, "HKG-1401")

			wantOrder(t, admin.list(callbackCredentials), fresh, c)
			wantOrder(t, admin.list(webhookTokens), w)
			wantStatus(t, g.use(t, admin.mintCallback("")), http.StatusOK)
		})
	}
}
