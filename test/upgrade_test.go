package test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// holdings are credentials that some release made, and what became of them.
type holdings struct{ live, dead []credential }

// made adds what every release can make: tokens of both kinds, rotated ones and revoked ones.
func (h *holdings) made(o operator) {
	o.t.Helper()
	callback, webhook := o.mintCallback("JIRA"), o.mintWebhook("pluggy")
	rotated, revoked := o.mintCallback("rotated"), o.mintWebhook("belvo")
	o.revoke(revoked)
	h.live = append(h.live, callback, webhook, o.rotate(rotated))
	h.dead = append(h.dead, rotated, revoked)
}

// changed rotates and revokes what is live, whoever made it.
func (h *holdings) changed(o operator) {
	o.t.Helper()
	first, second := h.live[0], h.live[1]
	h.live[0] = o.rotate(first)
	o.revoke(second)
	h.live = append(h.live[:1], h.live[2:]...)
	h.dead = append(h.dead, first, second)
}

// present posts with a token, as a vendor does.
func (g *gate) present(t testing.TB, c credential) answer {
	t.Helper()
	if c.collection == webhookTokens {
		return g.post(t, g.Vendors+c.path(), "{}", "Content-Type: application/json")
	}
	return g.use(t, c)
}

// hold checks that g takes what is live, refuses what is dead and lists both. What another
// process changed may take a moment to come.
func (h *holdings) hold(t *testing.T, g *gate) {
	t.Helper()
	hookgatetest.Eventually(t, "live tokens are taken, dead ones refused", func() bool {
		for _, c := range h.live {
			if g.present(t, c).status != http.StatusOK {
				return false
			}
		}
		for _, c := range h.dead {
			if g.present(t, c).status != http.StatusUnauthorized {
				return false
			}
		}
		return true
	})
	admin := g.operator(t, tenantA, "admin")
	for _, c := range h.live {
		if entry := admin.find(c); entry.RevokedAt != "" {
			t.Errorf("listed as revoked: %+v", entry)
		}
	}
	for _, c := range h.dead {
		if entry := admin.find(c); entry.RevokedAt == "" {
			t.Errorf("not listed as revoked: %+v", entry)
		}
	}
}

// TestUpgradeAndRollback: one process after another on the same data set, of the release
// before, of this one, and of the one before again. Each knows all that the others did.
func TestUpgradeAndRollback(t *testing.T) {
	previous := previousRelease(t)
	eachStore(t, func(t *testing.T, s store) {
		u := newUpstream(t)
		var all holdings
		for _, binary := range []string{previous, "", previous, ""} {
			g := start(t, config{store: s, upstream: u.addr, guard: []string{"failure_limit off"}, binary: binary})
			if len(all.live) > 0 {
				all.hold(t, g)
				all.changed(g.operator(t, tenantA, "admin"))
			}
			all.made(g.operator(t, tenantA, "admin"))
			all.hold(t, g)
			if code := g.stop(); code != 0 {
				t.Fatalf("exit code %d", code)
			}
		}
	})
}

// TestMixedVersions: both releases at once on one Redis. What one mints, rotates or revokes
// is so at the other.
func TestMixedVersions(t *testing.T) {
	t.Parallel()
	s, u := onRedis(t), newUpstream(t)
	on := func(binary string) *gate {
		return start(t, config{store: s, upstream: u.addr, guard: []string{"failure_limit off"}, binary: binary})
	}
	gates := []*gate{on(previousRelease(t)), on("")}
	var all holdings
	for range 2 {
		for _, g := range gates {
			if len(all.live) > 0 {
				all.changed(g.operator(t, tenantA, "admin"))
			}
			all.made(g.operator(t, tenantA, "admin"))
			for _, other := range gates {
				all.hold(t, other)
			}
		}
	}
	for _, g := range gates {
		if metrics := g.Metrics(t); strings.Contains(metrics, `hookgate_keyring_resyncs_total{reason="gap"} 1`) ||
			!strings.Contains(metrics, `hookgate_keyring_resyncs_total{reason="fork"} 0`) {
			t.Error("a release does not follow the ledger of the other")
		}
	}
}

// TestDumpOfOtherRelease: each release restores what the other dumped.
func TestDumpOfOtherRelease(t *testing.T) {
	t.Parallel()
	previous, u := previousRelease(t), newUpstream(t)
	for name, binaries := range map[string][2]string{"upgrade": {previous, ""}, "rollback": {"", previous}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "dump")
			store := func(g *gate, binary, what string) {
				t.Helper()
				cmd := hookgatetest.Command(g.dir, "store", what, file, "--config", g.caddyfile())
				if binary != "" {
					cmd.Path = binary
				}
				if stdout, stderr, code := hookgatetest.Run(t, cmd); code != 0 {
					t.Fatalf("store %s: exit code %d\n%s%s", what, code, stdout, stderr)
				}
			}
			var all holdings
			from := start(t, config{store: onRedis(t), upstream: u.addr, guard: []string{"failure_limit off"}, binary: binaries[0]})
			all.made(from.operator(t, tenantA, "admin"))
			store(from, binaries[0], "dump")
			to := start(t, config{store: onRedis(t), upstream: u.addr, guard: []string{"failure_limit off"}, binary: binaries[1]})
			store(to, binaries[1], "restore")
			to.AwaitReady(http.StatusOK)
			all.hold(t, to)
		})
	}
}

// TestPreviousReleaseCannotReadProofs: a credential with a proof of its own is what the
// release before cannot take. It lets nothing through that it should not, and goes on when
// the credential has no such proof any more.
func TestPreviousReleaseCannotReadProofs(t *testing.T) {
	t.Parallel()
	s, u := onRedis(t), newUpstream(t)
	old := start(t, config{store: s, upstream: u.addr, app: staleness, binary: previousRelease(t)})
	g := start(t, config{store: s, upstream: u.addr, app: append([]string{sealKey}, staleness...)})
	admin := g.operator(t, tenantA, "admin")
	plain, signing := admin.mintCallback("plain"), admin.mintCallback("signs")
	takesPlain := func() bool { return old.use(t, plain).status == http.StatusOK }
	hookgatetest.Eventually(t, "the release before has the credential", takesPlain)

	proof := `{"verify": {"scheme": {"signature": {"header": "X-Acme-Signature"}}, "secrets": ["q7fJ2mXoZkT4vB9wLr1c"]}}`
	wantStatus(t, admin.do(http.MethodPatch, "/v1/credentials/"+signing.id, proof), http.StatusOK)
	hookgatetest.Eventually(t, "the release before does not decide", func() bool {
		return old.use(t, plain).status == http.StatusServiceUnavailable
	})
	if a := old.use(t, signing); a.status == http.StatusOK {
		t.Errorf("it lets a request without the proof through: %s", a.body)
	}
	wantStatus(t, g.use(t, plain), http.StatusOK)

	wantStatus(t, admin.do(http.MethodPatch, "/v1/credentials/"+signing.id, `{"verify": null}`), http.StatusOK)
	again := start(t, config{store: s, upstream: u.addr, app: staleness, binary: previousRelease(t)})
	wantStatus(t, again.use(t, plain), http.StatusOK)
	wantStatus(t, again.use(t, signing), http.StatusOK)
}
