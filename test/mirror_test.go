package test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
	"github.com/hookgate/hookgate/test/matcher"
)

// mirrored is a Matcher 4.1 with a gate that mints, lists, rotates and revokes there. It can
// be away for a while.
type mirrored struct {
	*matcher.V4
	*gate
	t       testing.TB
	server  *http.Server
	address string
}

func mirrorOf(t *testing.T, s store, admin ...string) *mirrored {
	t.Helper()
	m := &mirrored{t: t, address: "127.0.0.1:0", V4: &matcher.V4{
		Secret: []byte(hookgatetest.JWTSecret), TrustedProxies: []string{"127.0.0.1"},
		Providers: map[string]matcher.Provider{"belvo": {AllowIPs: []string{"3.130.254.46"}}},
		Aggregators: map[string][]matcher.Aggregator{
			tenantA: {{Vendor: "belvo", ConfigName: "belvo-main"}}, tenantB: {{Vendor: "belvo", ConfigName: "belvo-main"}},
		},
	}}
	m.up()
	m.gate = start(t, config{
		store: s, upstream: m.address, guard: []string{"matcher 4"}, servers: []string{"trusted_proxies static 127.0.0.1/32"},
		known: "matcher http://" + m.address, admin: append([]string{"mirror http://" + m.address}, admin...),
	})
	return m
}

func (m *mirrored) up() {
	m.t.Helper()
	l, err := net.Listen("tcp", m.address)
	if err != nil {
		m.t.Fatal(err)
	}
	m.address = l.Addr().String()
	m.server = &http.Server{Handler: m.V4}
	go m.server.Serve(l)
	m.t.Cleanup(func() { m.server.Close() })
}

func (m *mirrored) down() { m.server.Close() }

// posts uses a token as its owner would, and returns the status.
func (m *mirrored) posts(c credential) int {
	m.t.Helper()
	if c.vendor != "" {
		return m.post(m.t, m.Vendors+c.path(), "{}", "X-Forwarded-For: 3.130.254.46").status
	}
	return m.post(m.t, m.Vendors+callbackOf(exceptionA), fixture(m.t, "matcher-callback.json"), "X-Callback-Token: "+c.token).status
}

// straight is what Matcher itself says of a callback token, past the guard.
func (m *mirrored) straight(c credential) int {
	m.t.Helper()
	return m.post(m.t, "http://"+m.address+callbackOf(exceptionA), fixture(m.t, "matcher-callback.json"), "X-Callback-Token: "+c.token).status
}

// own creates a credential by our own API.
func (o operator) own(body string) credential {
	o.t.Helper()
	a := o.do(http.MethodPost, "/v1/credentials", body)
	wantStatus(o.t, a, http.StatusCreated)
	var made struct{ ID, Token, Vendor string }
	if err := json.Unmarshal(a.body, &made); err != nil || made.Token == "" {
		o.t.Fatalf("%v: %s", err, a.body)
	}
	return credential{id: made.ID, token: made.Token, vendor: made.Vendor, collection: "/v1/credentials"}
}

// TestMirror: what is minted here, in whichever way, works at a Matcher that takes its own
// tokens only; and it is Matcher's.
func TestMirror(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		m := mirrorOf(t, s)
		operator := m.operator(t, tenantA, "admin")
		callback, hook := operator.mintCallback("JIRA"), operator.mintWebhook("belvo")
		ownCallback := operator.own(`{"kind":"callback","label":"SD","expiresAt":"2127-01-02T03:04:05Z"}`)
		ownHook := operator.own(`{"kind":"webhook","vendor":"belvo","connection":"belvo-main"}`)
		asked := m.Asked()
		if len(asked) != 4 {
			t.Fatalf("Matcher was asked for %v", asked)
		}
		for _, a := range asked {
			if a.Authorization != "Bearer "+operator.jwt || a.RequestID == "" {
				t.Errorf("asked as %q, request %q", a.Authorization, a.RequestID)
			}
		}
		if asked[0].Body != `{"externalSystem":"JIRA"}` || asked[1].Body != `{"vendor":"belvo","connection_config_name":"belvo-main"}` {
			t.Errorf("asked for %s and %s", asked[0].Body, asked[1].Body)
		}
		for _, c := range []credential{callback, ownCallback} {
			if m.IDOf(c.token) != c.id {
				t.Errorf("%s is %q at Matcher", c.id, m.IDOf(c.token))
			}
			if status := m.posts(c); status != http.StatusOK {
				t.Errorf("a callback is %d", status)
			}
		}
		for _, c := range []credential{hook, ownHook} {
			if status := m.posts(c); status != http.StatusAccepted {
				t.Errorf("a webhook is %d", status)
			}
		}
		if accepted, refused := m.Take(); len(accepted) != 4 || len(refused) > 0 {
			t.Errorf("Matcher accepted %v, refused %v", accepted, refused)
		}

		// Rotation, both ways: the old token ends on both sides at once.
		for _, old := range []credential{callback, ownCallback} {
			fresh := operator.rotated(old)
			if m.posts(old) != http.StatusUnauthorized || m.straight(old) != http.StatusUnauthorized || m.posts(fresh) != http.StatusOK {
				t.Errorf("after the rotation of %s: old %d, at Matcher %d, new %d", old.id, m.posts(old), m.straight(old), m.posts(fresh))
			}
			operator.revoke(fresh)
			if m.posts(fresh) != http.StatusUnauthorized || m.straight(fresh) != http.StatusUnauthorized {
				t.Errorf("revoked, it is %d, at Matcher %d", m.posts(fresh), m.straight(fresh))
			}
			operator.revoke(fresh) // once more is as good
		}
		// Matcher has no rotation and no revocation of webhook tokens.
		for _, old := range []credential{hook, ownHook} {
			fresh := operator.rotated(old)
			if m.posts(old) != http.StatusUnauthorized || m.posts(fresh) != http.StatusAccepted {
				t.Errorf("after the rotation of a webhook token: old %d, new %d", m.posts(old), m.posts(fresh))
			}
			operator.revoke(fresh)
			if status := m.posts(fresh); status != http.StatusUnauthorized {
				t.Errorf("a revoked webhook token is %d", status)
			}
		}
		if text := m.Output.String(); strings.Contains(text, operator.jwt) || strings.Contains(text, callback.token) {
			t.Error("the log has the operator's JWT or a token")
		}
	})
}

// rotated rotates a credential by the API that made it.
func (o operator) rotated(c credential) credential {
	o.t.Helper()
	if c.collection != "/v1/credentials" {
		return o.rotate(c)
	}
	a := o.do(http.MethodPost, c.collection+"/"+c.id+"/rotate", "{}")
	wantStatus(o.t, a, http.StatusCreated)
	var made struct{ ID, Token, Vendor string }
	if err := json.Unmarshal(a.body, &made); err != nil {
		o.t.Fatal(err)
	}
	return credential{id: made.ID, token: made.Token, vendor: made.Vendor, collection: c.collection}
}

// TestMirrorAnswersAsMatcher: to the byte, but for the URLs and the last use.
func TestMirrorAnswersAsMatcher(t *testing.T) {
	t.Parallel()
	m := mirrorOf(t, embedded(t))
	operator := m.operator(t, tenantA, "admin")
	const id = "7d4f5c1e-0000-4000-8000-0000000000aa"
	hint := m.Vendors + "/v1/exceptions/{exceptionId}/callback"
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		kind, answer, want       string // "": the same
	}{
		{"mint", "POST", callbackCredentials, `{}`, 201, "application/json", `{ "token":"abc.1", "webhookUrlHint" : "https://m/x","credentialId":"` + id + `","createdAt":"2026-01-02T03:04:05Z" }` + "\n",
			`{ "token":"abc.1", "webhookUrlHint" : "` + hint + `","credentialId":"` + id + `","createdAt":"2026-01-02T03:04:05Z" }` + "\n"},
		{"webhook", "POST", webhookTokens, `{"vendor":"belvo","connection_config_name":"belvo-main"}`, 201, "application/json; charset=utf-8", `{"token":"abc.2","webhook_url":"https:\/\/m\/x","vendor":"belvo"}`,
			`{"token":"abc.2","webhook_url":"` + m.Vendors + `/v1/discovery/webhooks/belvo/abc.2","vendor":"belvo"}`},
		{"list", "GET", callbackCredentials, "", 200, "application/json", `{"credentials": [ {"id":"` + id + `", "createdAt":"x"} ,{"id":"` + exceptionA + `","createdAt":"y"}]}`, ""},
		{"empty list", "GET", callbackCredentials, "", 200, "application/json", `{"credentials":null}`, ""},
		{"no list", "GET", callbackCredentials, "", 403, "application/problem+json", `{"status":403,"code":"X-1"}`, ""},
		{"no mint", "POST", callbackCredentials, `{}`, 401, "application/problem+json", `{"title": "no"}`, ""},
		{"no mint for now", "POST", callbackCredentials, `{}`, 429, "application/problem+json", `{"title": "later"}`, ""},
		{"no such connection", "POST", webhookTokens, `{"vendor":"belvo","connection_config_name":"belvo-main"}`, 404, "application/problem+json", `{"title": "none"}`, ""},
		{"no mint, and no JSON", "POST", callbackCredentials, `{}`, 500, "text/html", `<h1>no`, ""},
		{"no rotation", "POST", callbackCredentials + "/" + id + "/rotate", "", 409, "application/problem+json", `{"status":409}`, ""},
		{"our own mint", "POST", "/v1/credentials", `{"kind":"callback"}`, 422, "application/problem+json", `{"status":422}`, ""},
		{"our own rotation", "POST", "/v1/credentials/" + id + "/rotate", "", 404, "application/problem+json", `{"status":404}`, ""},
	} {
		m.Before(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", test.kind)
			w.WriteHeader(test.status)
			fmt.Fprint(w, test.answer)
			return true
		})
		want := test.want
		if want == "" {
			want = test.answer
		}
		a := operator.do(test.method, test.path, test.body)
		if kind := a.header.Get("Content-Type"); a.status != test.status || kind != test.kind || string(a.body) != want {
			t.Errorf("%s: %d %s %s\nwant %d %s %s", test.name, a.status, kind, a.body, test.status, test.kind, want)
		}
	}
	// What Matcher refused is not kept.
	if all := operator.list(webhookTokens); len(all) != 1 {
		t.Errorf("webhook tokens: %v", all)
	}
}

// TestMirrorList: it is Matcher's, with our last use; ours is ours.
func TestMirrorList(t *testing.T) {
	t.Parallel()
	m := mirrorOf(t, embedded(t))
	operator := m.operator(t, tenantA, "admin")
	elsewhere := m.MintCallback(tenantA) // Hookgate does not know it
	used, unused := operator.mintCallback("used"), operator.mintCallback("unused")
	local := operator.importDigest("minted-nowhere", `"kind":"callback","label":"local"`)
	if status := m.posts(used); status != http.StatusOK {
		t.Fatal(status)
	}
	got := operator.list(callbackCredentials)
	if len(got) != 3 || got[0].ID != unused.id || got[1].ID != used.id || got[2].ID != m.IDOf(elsewhere) {
		t.Fatalf("the list is %+v", got)
	}
	if got[0].LastUsedAt != "" || got[2].LastUsedAt != "" {
		t.Errorf("a last use of what was never used: %+v", got)
	}
	if at, err := time.Parse(time.RFC3339Nano, got[1].LastUsedAt); err != nil || time.Since(at) > time.Hour {
		t.Errorf("last used at %q", got[1].LastUsedAt)
	}
	own := operator.do(http.MethodGet, "/v1/credentials?kind=callback", "")
	if !bytes.Contains(own.body, []byte(local.id)) || bytes.Contains(own.body, []byte(m.IDOf(elsewhere))) {
		t.Errorf("ours is %s", own.body)
	}
}

// TestMirrorAsksForOperatorsOnly: for nobody whom we refuse, and for each tenant its own.
func TestMirrorAsksForOperatorsOnly(t *testing.T) {
	t.Parallel()
	m := mirrorOf(t, embedded(t))
	mine, theirs := m.operator(t, tenantA, "admin"), m.operator(t, tenantB, "admin")
	c := mine.mintCallback("JIRA")
	m.Asked()
	viewer := m.operator(t, tenantA, "viewer")
	wantProblem(t, viewer.do(http.MethodPost, callbackCredentials, `{}`), http.StatusForbidden, "HKG-2403")
	wantProblem(t, viewer.do(http.MethodDelete, callbackCredentials+"/"+c.id, ""), http.StatusForbidden, "HKG-2403")
	wantProblem(t, operator{t, m.gate, mine.jwt + "x"}.do(http.MethodGet, callbackCredentials, ""), http.StatusUnauthorized, "HKG-2401")
	wantProblem(t, mine.do(http.MethodPost, callbackCredentials, `{"surplus":1}`), http.StatusUnprocessableEntity, "HKG-2422")
	wantProblem(t, mine.do(http.MethodPost, "/v1/credentials/"+c.id+"/rotate", `{"gracePeriodSeconds":60}`), http.StatusUnprocessableEntity, "HKG-2422")
	wantProblem(t, theirs.do(http.MethodDelete, "/v1/credentials/"+c.id, ""), http.StatusNotFound, "HKG-2002")
	if asked := m.Asked(); len(asked) > 0 {
		t.Errorf("Matcher was asked for %v", asked)
	}
	// The facade leaves what it does not know to Matcher, which knows whose it is.
	wantStatus(t, theirs.do(http.MethodDelete, callbackCredentials+"/"+c.id, ""), http.StatusNotFound)
	wantStatus(t, theirs.do(http.MethodPost, callbackCredentials+"/"+c.id+"/rotate", ""), http.StatusNotFound)
	if m.posts(c) != http.StatusOK {
		t.Error("another tenant has ended a credential")
	}
	fresh := theirs.mintCallback("theirs")
	wantStatus(t, mine.do(http.MethodGet, "/v1/credentials/"+fresh.id, ""), http.StatusNotFound)
	wantStatus(t, theirs.do(http.MethodGet, "/v1/credentials/"+fresh.id, ""), http.StatusOK)
}

// TestMirrorGrace: Matcher revokes a callback credential at once, and a webhook token never;
// so it is Hookgate that lets the old one pass for a while.
func TestMirrorGrace(t *testing.T) {
	t.Parallel()
	m := mirrorOf(t, embedded(t))
	operator := m.operator(t, tenantA, "admin")
	old := operator.own(`{"kind":"webhook","vendor":"belvo","connection":"belvo-main"}`)
	a := operator.do(http.MethodPost, "/v1/credentials/"+old.id+"/rotate", `{"gracePeriodSeconds":60}`)
	wantStatus(t, a, http.StatusCreated)
	var fresh struct{ ID, Token, WebhookURL string }
	if err := json.Unmarshal(a.body, &fresh); err != nil || fresh.WebhookURL != m.Vendors+webhooksPath+"belvo/"+fresh.Token {
		t.Fatalf("%v: %s", err, a.body)
	}
	next := credential{token: fresh.Token, vendor: "belvo"}
	if m.posts(old) != http.StatusAccepted || m.posts(next) != http.StatusAccepted {
		t.Errorf("in the grace period the old one is %d, the new one %d", m.posts(old), m.posts(next))
	}
	m.Asked()
	wantProblem(t, operator.do(http.MethodPost, "/v1/credentials/"+fresh.ID+"/rotate", ""), http.StatusConflict, "HKG-2008")
	if asked := m.Asked(); len(asked) > 0 {
		t.Errorf("for a rotation that cannot be, Matcher was asked for %v", asked)
	}
	wantStatus(t, operator.do(http.MethodPost, "/v1/credentials/"+fresh.ID+"/finish", ""), http.StatusOK)
	if m.posts(old) != http.StatusUnauthorized || m.posts(next) != http.StatusAccepted {
		t.Errorf("after it the old one is %d, the new one %d", m.posts(old), m.posts(next))
	}
}

// TestMirrorOfWhatWasThereBefore: a token that Matcher had is imported with its id, and its
// revocation reaches Matcher; what Matcher does not know stays here.
func TestMirrorOfWhatWasThereBefore(t *testing.T) {
	t.Parallel()
	m := mirrorOf(t, embedded(t))
	operator := m.operator(t, tenantA, "admin")
	token, second := m.MintCallback(tenantA), m.MintCallback(tenantA)
	known := operator.importDigest(token, `"kind":"callback","label":"JIRA","id":"`+m.IDOf(token)+`"`)
	if known.id != m.IDOf(token) || m.posts(known) != http.StatusOK {
		t.Fatalf("imported as %s, used with %d", known.id, m.posts(known))
	}
	results := func(lines string) string {
		return string(operator.do(http.MethodPost, "/v1/credentials/import", `{"credentials":[`+lines+`]}`).body)
	}
	line := func(token, id string) string {
		return fmt.Sprintf(`{"kind":"callback","digest":"%x","id":%q}`, sha256.Sum256([]byte(token)), id)
	}
	if got := results(line(token, known.id)); !strings.Contains(got, `"exists"`) {
		t.Errorf("once more: %s", got)
	}
	if got := results(line("another", known.id)); !strings.Contains(got, `"HKG-2013"`) {
		t.Errorf("another token with the id: %s", got)
	}
	for _, bad := range []string{line("x", "1"), strings.Replace(line("y", exceptionA), `"callback"`, `"webhook","vendor":"belvo","connection":"belvo-main"`, 1)} {
		if got := results(bad); !strings.Contains(got, `"HKG-2422"`) {
			t.Errorf("%s: %s", bad, got)
		}
	}
	wantStatus(t, operator.do(http.MethodPost, "/v1/credentials/"+known.id+"/revoke", `{"reason":"leaked"}`), http.StatusOK)
	if status := m.straight(known); status != http.StatusUnauthorized {
		t.Errorf("at Matcher it is %d", status)
	}

	local := operator.importDigest(second, `"kind":"callback"`)
	m.Asked()
	wantStatus(t, operator.do(http.MethodDelete, callbackCredentials+"/"+local.id, ""), http.StatusNoContent)
	if asked := m.Asked(); len(asked) > 0 || m.posts(local) != http.StatusUnauthorized {
		t.Errorf("Matcher was asked for %v, and it is %d", asked, m.posts(local))
	}
	// What it never heard of, Matcher's own operations do at Matcher, and the successor is
	// kept here.
	unheard := m.MintCallback(tenantA)
	fresh := operator.rotate(credential{id: m.IDOf(unheard), collection: callbackCredentials})
	if status := m.posts(fresh); status != http.StatusOK {
		t.Errorf("the successor of an unknown credential is %d", status)
	}
	wantStatus(t, operator.do(http.MethodPost, callbackCredentials+"/"+fresh.id+"/rotate", ""), http.StatusCreated)
	api := operator.mintAPI("client", "")
	m.Asked()
	wantStatus(t, operator.do(http.MethodDelete, "/v1/credentials/"+api, ""), http.StatusNoContent)
	if asked := m.Asked(); len(asked) > 0 {
		t.Errorf("for an api credential Matcher was asked for %v", asked)
	}
}
