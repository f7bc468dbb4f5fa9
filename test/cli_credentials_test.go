package test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// useToken posts with a callback token.
func (g *gate) useToken(t testing.TB, token string) int {
	t.Helper()
	return g.use(t, credential{token: token}).status
}

// TestCredentialCommands takes a credential through its life.
func TestCredentialCommands(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		u := newUpstream(t)
		g := start(t, config{store: s, upstream: u.addr, app: []string{"usage_flush 100ms"}})
		admin := g.operator(t, tenantA, "admin")
		if r := admin.run(t, 0, "credentials", "list"); strings.Count(r.stdout, "\n") != 1 || r.stderr != "" {
			t.Errorf("an empty list: %q, %q", r.stdout, r.stderr)
		}

		minted := admin.run(t, 0, "credentials", "mint", "--kind", "callback", "--label", "JIRA", "--metadata", `{"owner": "ops"}`)
		token := minted.wantToken(t)
		first := admin.newest(t)
		if first.Kind != "callback" || first.Status != "active" || first.Label != "JIRA" || string(first.Metadata) != `{"owner":"ops"}` || !strings.Contains(minted.stderr, first.ID) {
			t.Errorf("minted %+v; %s", first, minted.stderr)
		}
		admin.run(t, 0, "credentials", "list").wantCells(t, first.ID, "callback", "active", "JIRA", "never")
		if got := g.useToken(t, token); got != http.StatusOK {
			t.Errorf("the token: %d", got)
		}
		hookgatetest.Eventually(t, "the use is shown", func() bool { return admin.newest(t).LastUsedAt != "" })
		admin.run(t, 0, "credentials", "list", "--kind", "callback").wantCells(t, first.ID, "JIRA", "now")
		admin.run(t, 0, "credentials", "get", strings.ToUpper(first.ID)).wantCells(t, "metadata", `{"owner":"ops"}`)

		rotated := admin.run(t, 0, "credentials", "rotate", first.ID, "--grace", "1h", "--reason", "yearly")
		token2 := rotated.wantToken(t)
		second := admin.newest(t)
		old := one[shown](t, admin.run(t, 0, "credentials", "get", first.ID, "--output", "json"))
		if second.Supersedes != first.ID || old.SupersededBy != second.ID || old.Status != "grace" || old.GraceUntil == "" {
			t.Errorf("rotated %+v to %+v", old, second)
		}
		for _, live := range []string{token, token2} {
			if got := g.useToken(t, live); got != http.StatusOK {
				t.Errorf("in its grace: %d", got)
			}
		}
		admin.run(t, 1, "credentials", "rotate", second.ID, "--grace", "1h").wantError(t, "HKG-2008", "request id ")
		admin.run(t, 0, "credentials", "finish", second.ID, "--reason", "done").wantCells(t, "status", "revoked")
		admin.run(t, 1, "credentials", "finish", second.ID).wantError(t, "HKG-2009")
		if got := g.useToken(t, token); got != http.StatusUnauthorized {
			t.Errorf("after its grace: %d", got)
		}

		for input, want := range map[string]string{token2 + "\n": "allowed", token + "\r\n": "revoked", plausible("mcb_", 1): "unknown", token[:52]: "malformed"} {
			code := 1
			if want == "allowed" {
				code = 0
			}
			verified := admin.pipe(t, code, input, "credentials", "verify")
			verified.wantCells(t, "outcome", want)
			if strings.Contains(verified.stdout+verified.stderr, strings.TrimSpace(input)) {
				t.Error("a token is repeated")
			}
			if got := one[struct{ Outcome string }](t, admin.pipe(t, code, input, "credentials", "verify", "-", "--output", "json")); got.Outcome != want {
				t.Errorf("%s, want %s", got.Outcome, want)
			}
		}

		revoked := admin.run(t, 0, "credentials", "revoke", second.ID, "--reason", "leaked")
		revoked.wantCells(t, "status", "revoked")
		if got := g.useToken(t, token2); got != http.StatusUnauthorized || revoked.stderr != "" {
			t.Errorf("revoked: %d, %q", got, revoked.stderr)
		}
		if again := one[shown](t, admin.run(t, 0, "credentials", "revoke", second.ID, "--yes", "--output", "json")); again.Status != "revoked" {
			t.Errorf("revoked again: %+v", again)
		}
		admin.run(t, 1, "credentials", "rotate", second.ID).wantError(t, "HKG-2003")

		type entry struct{ At, Action, Actor, CredentialID, Reason, RequestID string }
		var actions []string
		for _, e := range lines[entry](t, admin.run(t, 0, "audit", "list", "--all", "--output", "json")) {
			if e.Actor != "test" || e.At == "" || e.RequestID == "" {
				t.Errorf("%+v", e)
			}
			actions = append(actions, e.Action+" "+e.Reason)
		}
		if want := []string{"revoke leaked", "finish done", "rotate yearly", "mint "}; !slices.Equal(actions, want) {
			t.Errorf("audit log %q, want %q", actions, want)
		}
		admin.run(t, 0, "audit", "list").wantCells(t, "revoke", "callback", second.ID, "test", "leaked")
		if got := one[entry](t, admin.run(t, 0, "audit", "list", "--credential", first.ID, "--action", "mint", "--output", "json")); got.CredentialID != first.ID {
			t.Errorf("%+v", got)
		}
		if r := admin.run(t, 0, "audit", "list", "--limit", "1"); strings.Count(r.stdout, "\n") != 2 || !strings.Contains(r.stderr, "more") {
			t.Errorf("%q, %q", r.stdout, r.stderr)
		}
	})
}

func TestMintCommand(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, guard: []string{"webhook /v1/discovery/webhooks/{vendor}/{token}", "api /partners/* products:read"}})
	admin := g.operator(t, tenantA, "admin")

	token := admin.run(t, 0, "credentials", "mint", "--kind", "webhook", "--vendor", "pluggy", "--connection", "pluggy-main",
		"--allow-ip", "127.0.0.1", "--allow-ip", "2001:db8::/32", "--expires", "90d").wantToken(t)
	c := admin.newest(t)
	expires, err := time.Parse(time.RFC3339, c.ExpiresAt)
	if left := time.Until(expires); err != nil || left > 90*24*time.Hour+time.Minute || left < 90*24*time.Hour-time.Hour {
		t.Errorf("expires %s, %v", c.ExpiresAt, err)
	}
	if c.Vendor != "pluggy" || c.Connection != "pluggy-main" || !slices.Equal(c.AllowedIPs, []string{"127.0.0.1", "2001:db8::/32"}) {
		t.Errorf("minted %+v", c)
	}
	wantStatus(t, g.use(t, credential{vendor: "pluggy", token: token}), http.StatusOK)
	admin.run(t, 0, "credentials", "list").wantCells(t, c.ID, "webhook", "active", "pluggy/pluggy-main", c.ExpiresAt[:10])

	hash := func(secret string) string {
		sum := sha256.Sum256([]byte(secret))
		return hex.EncodeToString(sum[:])
	}
	r := admin.run(t, 0, "credentials", "mint", "--kind", "api", "--client-id", "billing", "--secret-hash", "sha256:"+hash("one"), "--scope", "products:read", "--scope", "a")
	if r.stdout != "" || !strings.Contains(r.stderr, "billing") {
		t.Errorf("an api credential has no token: %q, %q", r.stdout, r.stderr)
	}
	api := admin.newest(t)
	wantStatus(t, g.get(t, g.Vendors+"/partners/x", basicAuth("billing:one")), http.StatusOK)
	admin.pipe(t, 0, "billing:one", "credentials", "verify").wantCells(t, "outcome", "allowed")
	admin.run(t, 1, "credentials", "rotate", api.ID).wantError(t, "HKG-2422")
	if r := admin.run(t, 0, "credentials", "rotate", api.ID, "--secret-hash", hash("two")); r.stdout != "" {
		t.Errorf("%q", r.stdout)
	}
	wantStatus(t, g.get(t, g.Vendors+"/partners/x", basicAuth("billing:one")), http.StatusUnauthorized)
	wantStatus(t, g.get(t, g.Vendors+"/partners/x", basicAuth("billing:two")), http.StatusOK)

	once := []string{"credentials", "mint", "--kind", "callback", "--idempotency-key", "k-1"}
	admin.run(t, 0, once...).wantToken(t)
	made := admin.newest(t)
	if again := admin.run(t, 1, once...); again.stdout != "" || !strings.Contains(again.stderr, made.ID) || !strings.Contains(again.stderr, "idempotency key") {
		t.Errorf("repeated: %q, %q", again.stdout, again.stderr)
	}
	if got := one[shown](t, admin.run(t, 1, append(once, "--output", "json")...)); got.ID != made.ID || got.Token != "" {
		t.Errorf("repeated: %+v", got)
	}
	admin.run(t, 1, append(once, "--label", "other")...).wantError(t, "HKG-2011")

	asJSON := admin.run(t, 0, "credentials", "mint", "--kind", "callback", "--output", "json")
	if got := one[shown](t, asJSON); got.ID == "" || asJSON.stderr != "" || g.useToken(t, got.Token) != http.StatusNotFound {
		t.Errorf("%+v, %q", got, asJSON.stderr) // this guard has no callback path
	}
}

func TestListCommand(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: embedded(t)})
	admin := g.operator(t, tenantA, "admin")
	var made []credential
	for _, label := range []string{"A", "B", "B"} {
		made = append(made, admin.mintCallback(label))
	}
	admin.revoke(made[0])
	g.operator(t, tenantB, "admin").mintCallback("B")
	ids := func(args ...string) (ids []string) {
		for _, c := range lines[shown](t, admin.run(t, 0, append([]string{"credentials", "list", "--output", "json"}, args...)...)) {
			ids = append(ids, c.ID)
		}
		return ids
	}
	a, b, c := made[0].id, made[1].id, made[2].id
	for _, test := range []struct {
		args []string
		want []string
	}{
		{nil, []string{c, b, a}},
		{[]string{"--all"}, []string{c, b, a}},
		{[]string{"--limit", "2"}, []string{c, b}},
		{[]string{"--status", "revoked"}, []string{a}},
		{[]string{"--label", "B", "--kind", "callback"}, []string{c, b}},
		{[]string{"--search", "b"}, []string{c, b}},
		{[]string{"--search", a}, []string{a}},
		{[]string{"--kind", "webhook"}, nil},
		{[]string{"--unused-since", "1h"}, []string{c, b, a}},
		{[]string{"--unused-since", "2020-01-02T03:04:05Z", "--label", "A"}, []string{a}},
	} {
		if got := ids(test.args...); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.args, got, test.want)
		}
	}
	if r := admin.run(t, 0, "credentials", "list", "--limit", "1"); strings.Count(r.stdout, "\n") != 2 || !strings.Contains(r.stderr, "--all") {
		t.Errorf("%q, %q", r.stdout, r.stderr)
	}
	if r := admin.run(t, 0, "credentials", "list", "--limit", "3"); strings.Count(r.stdout, "\n") != 4 {
		t.Errorf("%q, %q", r.stdout, r.stderr)
	}
}
