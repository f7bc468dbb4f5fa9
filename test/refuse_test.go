package test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// refusal is a request that the guard answers itself.
type refusal struct {
	name   string
	method string
	target string
	lines  []string // header lines
	body   string
	status int
	code   string
	header map[string]string
}

// check sends the refusal and checks that its answer is a problem, and that the
// connection, whose request has arrived in full, goes on.
func (r refusal) check(t *testing.T, g *gate, u *upstream) answer {
	t.Helper()
	conn := g.dial(t)
	lines := append([]string{r.method + " " + r.target + " HTTP/1.1", "Host: hooks.example.com"}, r.lines...)
	if r.body != "" {
		lines = append(lines, "Content-Length: "+strconv.Itoa(len(r.body)))
	}
	var a answer
	for range 2 {
		request := strings.Join(lines, "\r\n") + "\r\n\r\n" + r.body
		if _, err := conn.Write([]byte(request)); err != nil {
			t.Fatal(err)
		}
		a = conn.answer(r.method)
		if a.header.Get("Connection") == "close" { // it took the server too long to read the body
			conn = g.dial(t)
		}
		if r.method != http.MethodHead {
			wantProblem(t, a, r.status, r.code)
		}
		wantStatus(t, a, r.status)
		for name, want := range r.header {
			if got := a.header.Get(name); got != want {
				t.Fatalf("%s: %q, want %q", name, got, want)
			}
		}
	}
	u.wantNothing(t)
	return a
}

const maxBody = 1000 // of the gates in these tests

func TestRefuse(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		u := newUpstream(t)
		g := start(t, config{store: s, upstream: u.addr, guard: []string{"max_body 1KB"}})
		admin := g.operator(t, tenantA, "admin")
		c, w := admin.mintCallback("JIRA"), admin.mintWebhook("pluggy")
		token := "X-Callback-Token: " + c.token
		webhook := w.path()

		var tests []refusal
		add := func(name, method, target string, status int, code string, lines ...string) *refusal {
			tests = append(tests, refusal{name: name, method: method, target: target, lines: lines, status: status, code: code})
			return &tests[len(tests)-1]
		}
		ambiguous := func(name, target string, lines ...string) {
			add(name, "POST", target, http.StatusBadRequest, "HKG-1400", append(lines, token)...)
		}
		noRoute := func(method, target string) {
			add("no route "+method+" "+target, method, target, http.StatusNotFound, "HKG-1404", token)
		}

		// 400: what could be read in two ways, before anything else is looked at.
		ambiguous("escape", "/v1/exceptions/7d%34f/callback")
		ambiguous("escaped slash", "/v1/exceptions%2F7d4f/callback")
		ambiguous("double slash", "/v1//exceptions/7d4f/callback")
		ambiguous("leading double slash", "//v1/exceptions/7d4f/callback")
		ambiguous("dot segment", "/v1/./exceptions/7d4f/callback")
		ambiguous("parent segment", "/v1/x/../exceptions/7d4f/callback")
		ambiguous("parameter", "/v1/exceptions/7d4f;a=b/callback")
		ambiguous("backslash", `/v1/exceptions\7d4f/callback`)
		ambiguous("not ASCII", "/v1/exceptions/7d4\xe9/callback")
		ambiguous("absolute form", "http://hooks.example.com"+callbackPath)
		ambiguous("unguarded and ambiguous", "/nowhere//")
		ambiguous("repeated token header", callbackPath, token)
		ambiguous("two different token headers", callbackPath, "X-Callback-Token: other")
		ambiguous("repeated token header, no route", "/nowhere", token)
		ambiguous("header and path token", webhook)
		ambiguous("slash at the end", "/v1/exceptions/7d4f/callback/")
		ambiguous("other case", "/V1/exceptions/7d4f/callback")
		ambiguous("no exception id", "/v1/exceptions/7d.4f/callback")
		add("webhook, slash at the end", "POST", webhook+"/", http.StatusBadRequest, "HKG-1400")
		ambiguous("long exception id", "/v1/exceptions/"+strings.Repeat("x", 129)+"/callback")
		add("webhook of a long vendor", "POST", "/v1/discovery/webhooks/"+strings.Repeat("p", 33)+"/"+w.token, http.StatusBadRequest, "HKG-1400")
		add("webhook of no vendor", "POST", "/v1/discovery/webhooks/Pluggy/"+w.token, http.StatusBadRequest, "HKG-1400")

		// 404: no guarded shape, whatever the method and the token.
		for _, target := range []string{
			"/", "/nowhere", "/healthz", "/readyz", "/metrics", callbackCredentials, "/v1/exceptions/callback", "/v1/exceptions/7d4f/callback/x",
			webhookTokens, webhookTokens + "/" + w.id, "/v1/discovery/webhooks/", "/v1/discovery/webhooks/pluggy",
			"/v1/discovery/webhooks/pluggy/", webhook + "/x",
		} {
			noRoute("POST", target)
		}
		noRoute("GET", "/nowhere")
		noRoute("DELETE", "/nowhere")
		noRoute("OPTIONS", "/nowhere")

		// 405, before the size and the token.
		for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
			add("callback "+method, method, callbackPath, http.StatusMethodNotAllowed, "HKG-1405", token).
				header = map[string]string{"Allow": "POST"}
		}
		for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS"} {
			add("webhook "+method, method, webhook, http.StatusMethodNotAllowed, "HKG-1405").
				header = map[string]string{"Allow": "POST, GET, HEAD"}
		}
		// A POST that a redirect made a GET of is no probe.
		for _, line := range []string{"Content-Type: application/json", "Content-Length: 0"} {
			add("redirected, "+line, "GET", webhook, http.StatusMethodNotAllowed, "HKG-1405", line).
				header = map[string]string{"Allow": "POST, GET, HEAD"}
		}
		add("wrong method and too large", "PUT", callbackPath, http.StatusMethodNotAllowed, "HKG-1405").
			body = strings.Repeat("x", maxBody+1)

		// 413, before the token.
		add("too large", "POST", callbackPath, http.StatusRequestEntityTooLarge, "HKG-1413", token).
			body = strings.Repeat("x", maxBody+1)
		add("too large without a token", "POST", callbackPath, http.StatusRequestEntityTooLarge, "HKG-1413").
			body = strings.Repeat("x", maxBody+1)
		add("webhook too large", "POST", webhook, http.StatusRequestEntityTooLarge, "HKG-1413").
			body = strings.Repeat("x", maxBody+1)

		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) { test.check(t, g, u) })
		}

		t.Run("the largest body passes", func(t *testing.T) {
			body := strings.Repeat("x", maxBody)
			wantStatus(t, g.post(t, g.Vendors+callbackPath, body, token), http.StatusOK)
			if got := u.one(t); got.body != body {
				t.Errorf("%d bytes at the upstream", len(got.body))
			}
		})
	})
}

// TestRefusedCredentialsLookTheSame: nothing in the answer tells why a token was
// refused.
func TestRefusedCredentialsLookTheSame(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		u := newUpstream(t)
		g := start(t, config{store: s, upstream: u.addr})
		admin := g.operator(t, tenantA, "admin")
		c, revoked, rotated := admin.mintCallback("JIRA"), admin.mintCallback("old"), admin.mintCallback("older")
		w, revokedHook := admin.mintWebhook("pluggy"), admin.mintWebhook("pluggy")
		for _, gone := range []credential{revoked, revokedHook} {
			wantStatus(t, g.use(t, gone), http.StatusOK) // it did work
			admin.revoke(gone)
		}
		disabled := admin.mintCallback("paused")
		wantStatus(t, g.use(t, disabled), http.StatusOK)
		wantStatus(t, admin.do(http.MethodPost, "/v1/credentials/"+disabled.id+"/disable", ""), http.StatusOK)
		fresh := admin.rotate(rotated)
		wantStatus(t, g.use(t, fresh), http.StatusOK)
		u.take()

		header := func(name, value string) refusal {
			return refusal{name: name, method: "POST", target: callbackPath, lines: []string{"X-Callback-Token: " + value}, body: "{}"}
		}
		path := func(name, vendor, token string) refusal {
			return refusal{name: name, method: "POST", target: webhooksPath + vendor + "/" + token, body: "{}"}
		}
		typo := c.token[:len(c.token)-1] + "-"
		tests := []refusal{
			{name: "no header", method: "POST", target: callbackPath, body: "{}"},
			{name: "token in Authorization", method: "POST", target: callbackPath, lines: []string{"Authorization: Bearer " + c.token}},
			{name: "token in the query", method: "POST", target: callbackPath + "?token=" + c.token},
			{name: "underscored header", method: "POST", target: callbackPath, lines: []string{"X_Callback_Token: " + c.token}},
			header("empty", ""),
			header("malformed", "spaces in it"),
			header("not ASCII", "t\xc3\xb6ken"),
			header("too long", strings.Repeat("x", 513)),
			header("wrong checksum", typo),
			header("cut off", c.token[:40]),
			header("other case", strings.ToUpper(c.token)),
			header("unknown", plausible("mcb_", 1)),
			header("unknown, not our prefix", "legacy-token"),
			header("revoked", revoked.token),
			header("rotated", rotated.token),
			header("disabled", disabled.token),
			header("webhook token in the header", w.token),
			path("wrong checksum in the path", "pluggy", typo),
			path("unknown in the path", "pluggy", plausible("mwh_", 1)),
			path("revoked in the path", "pluggy", revokedHook.token),
			path("callback token in the path", "pluggy", c.token),
			path("another vendor", "belvo", w.token),
			path("unheard-of vendor", "nobody", w.token),
			path("credential id in the path", "pluggy", w.id),
		}
		for _, method := range []string{"GET", "HEAD"} {
			tests = append(tests, refusal{name: method + " probe of an unknown token", method: method, target: webhooksPath + "pluggy/" + plausible("mwh_", 2)},
				refusal{name: method + " probe of another vendor", method: method, target: webhooksPath + "belvo/" + w.token})
		}
		var first string
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				test.status, test.code = http.StatusUnauthorized, "HKG-1401"
				test.header = map[string]string{"Www-Authenticate": `Token realm="hookgate"`, "Cache-Control": "no-store"}
				a := test.check(t, g, u)
				if test.method == http.MethodHead {
					return
				}
				look := look(a)
				if first == "" {
					first = look
				}
				if look != first {
					t.Errorf("differs:\n%s\n%s", look, first)
				}
			})
		}
		wantStatus(t, g.use(t, c), http.StatusOK) // all of it locked nobody out
		wantStatus(t, g.use(t, w), http.StatusOK)
	})
}

// look is an answer without what differs from one request to the next.
func look(a answer) string {
	header := a.header.Clone()
	id := header.Get("X-Request-Id")
	for _, name := range []string{"X-Request-Id", "Date", "Connection"} {
		header.Del(name)
	}
	var text strings.Builder
	header.Write(&text)
	return text.String() + strings.ReplaceAll(string(a.body), id, "-")
}
