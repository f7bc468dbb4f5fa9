package test

import (
	"net/http"
	"strings"
	"testing"
)

func TestUpstreamPaths(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	plain := config{store: embedded(t), upstream: u.addr, known: "any"}
	g := start(t, plain)
	admin := g.operator(t, tenantA, "admin")
	mint := func(connection string) answer {
		return admin.do(http.MethodPost, webhookTokens, `{"vendor":"pluggy","connection_config_name":"`+connection+`"}`)
	}
	// No path takes the connection yet, so that any name goes.
	traversal, slash := admin.minted(mint(".."), webhookTokens), admin.minted(mint("a/../../b"), webhookTokens)

	templated := plain
	templated.guard = []string{
		"callback /v1/exceptions/{exceptionId}/callback -> /in/{credentialId}/{exceptionId}",
		"webhook /v1/discovery/webhooks/{vendor}/{token} -> /hooks/{vendor}/{connection}/{credentialId}/",
	}
	g.write(templated.text(t, g.ports))
	g.Reload(reloaded)

	c, w := admin.mintCallback("JIRA"), admin.minted(mint("Conta São Paulo"), webhookTokens)
	for _, test := range []struct {
		c            credential
		target, want string
	}{
		{c, callbackPath, "/in/" + c.id + "/7d4f"},
		{c, callbackPath + "?a=%2F..&b", "/in/" + c.id + "/7d4f?a=%2F..&b"},
		{w, w.path(), "/hooks/pluggy/Conta%20S%C3%A3o%20Paulo/" + w.id + "/"},
		{w, w.path() + "?//", "/hooks/pluggy/Conta%20S%C3%A3o%20Paulo/" + w.id + "/?//"},
	} {
		var headers []string
		if test.c.vendor == "" {
			headers = append(headers, "X-Callback-Token: "+test.c.token)
		}
		wantStatus(t, g.sendTarget(t, test.target, strings.NewReader("{}"), headers...), http.StatusOK)
		if got := u.one(t); got.target != test.want || strings.Contains(got.String(), test.c.token) {
			t.Errorf("%s went to %s, want %s", test.target, got.target, test.want)
		}
	}
	for _, c := range []credential{traversal, slash} {
		wantProblem(t, g.use(t, c), http.StatusInternalServerError, "HKG-1500")
		if used := admin.find(c).LastUsedAt; used != "" {
			t.Errorf("used %s", used)
		}
	}
	u.wantNothing(t)
	for _, name := range []string{"..", "a/b", "a%2Fb", "a;b", " a"} {
		wantProblem(t, mint(name), http.StatusUnprocessableEntity, "HKG-2422")
	}
	if text := g.Output.String(); !strings.Contains(text, "the name of the connection cannot stand in the path") {
		t.Error("the log does not say why")
	}
}

func TestForwardToken(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		u := newUpstream(t)
		g := start(t, config{store: s, upstream: u.addr, guard: []string{
			"forward_token",
			"callback /v1/exceptions/{exceptionId}/callback",
			"webhook /v1/discovery/webhooks/{vendor}/{token}",
			"webhook /other/{vendor}/{token} -> /in/{token}/{vendor}",
			"max_body 1KB",
		}})
		secrets := canaries{}
		admin := g.operator(t, tenantA, "admin")
		c, w := admin.mintCallback("JIRA"), admin.mintWebhook("pluggy")
		secrets.add("callback token", c.token)
		secrets.add("webhook token", w.token)

		wantStatus(t, g.post(t, g.Vendors+callbackPath, "{}", "x-callback-token: "+c.token, "X-Callback_Token: forged",
			"Connection: X-Callback-Token", "Authorization: Bearer client"), http.StatusOK)
		got := u.one(t)
		wantHeader(t, got, "X-Callback-Token", c.token)
		wantHeader(t, got, "Authorization")
		wantIdentity(t, got, tenantA, c.id, identityOf(c))

		for target, want := range map[string]string{w.path() + "?q": w.path() + "?q", "/other/pluggy/" + w.token: "/in/" + w.token + "/pluggy"} {
			wantStatus(t, g.sendTarget(t, target, strings.NewReader("{}")), http.StatusOK)
			got := u.one(t)
			if got.target != want {
				t.Errorf("%s went to %s, want %s", target, got.target, want)
			}
			wantHeader(t, got, "X-Callback-Token")
			wantIdentity(t, got, tenantA, w.id, identityOf(w))
		}

		// What fails behind the guard logs the most.
		u.answerWith(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		for _, c := range []credential{c, w} {
			wantProblem(t, g.use(t, c), http.StatusBadGateway, "HKG-1502")
			admin.revoke(c)
			wantProblem(t, g.use(t, c), http.StatusUnauthorized, "HKG-1401")
		}
		u.take()
		secrets.search(t, "the log", g.Output.String())
		secrets.search(t, "the metrics", g.Metrics(t))
	})
}
