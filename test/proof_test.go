package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

const (
	sealKey      = "seal_key MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	otherSealKey = "seal_key YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="

	secretOfOne  = "vendor-secret-canary-one"
	secretOfTwo  = "vendor-secret-canary-two"
	secretOfBoth = "vendor-secret-canary-block"
)

// mintVerified mints a webhook credential whose senders prove themselves with a secret.
func (o operator) mintVerified(vendor, secret string) credential {
	o.t.Helper()
	a := o.do(http.MethodPost, "/v1/credentials", fmt.Sprintf(
		`{"kind":"webhook","vendor":%q,"connection":"%s-main","verify":{"scheme":{"signature":{"header":"X-Signature"}},"secrets":[%q]}}`, vendor, vendor, secret))
	wantStatus(o.t, a, http.StatusCreated)
	var made struct{ ID, Token string }
	if err := json.Unmarshal(a.body, &made); err != nil {
		o.t.Fatal(err)
	}
	return credential{id: made.ID, token: made.Token, vendor: vendor, collection: webhookTokens}
}

// TestProofs: each tenant's secret vouches for its own credential alone, whatever the block
// of the vendor says; the vendor is not told why, and no secret is anywhere.
func TestProofs(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	store := onRedis(t, syncing)
	watched := monitor(t, store.redis)
	g := start(t, config{store: store, upstream: u.addr, app: []string{sealKey}, guard: []string{
		"vendor pluggy {\n\t\t\tsignature X-Signature " + secretOfBoth + "\n\t\t}",
	}})
	one, two := g.operator(t, tenantA, "admin"), g.operator(t, tenantB, "admin")
	mine, theirs, bare := one.mintVerified("pluggy", secretOfOne), two.mintVerified("pluggy", secretOfTwo), one.mintWebhook("pluggy")
	const body = `{"event":"paid"}`
	post := func(c credential, headers ...string) answer {
		return g.post(t, g.Vendors+c.path(), body, headers...)
	}
	var refused []string
	for _, tc := range []struct {
		name    string
		c       credential
		headers []string
		status  int
	}{
		{"mine", mine, []string{signed(secretOfOne, body)}, 200},
		{"theirs", theirs, []string{signed(secretOfTwo, body)}, 200},
		{"another tenant's", mine, []string{signed(secretOfTwo, body)}, 403},
		{"the other way round", theirs, []string{signed(secretOfOne, body)}, 403},
		{"the block's, where there is one of its own", mine, []string{signed(secretOfBoth, body)}, 403},
		{"the block's", bare, []string{signed(secretOfBoth, body)}, 200},
		{"another's, where there is only the block's", bare, []string{signed(secretOfOne, body)}, 403},
		{"none", mine, nil, 403},
		{"unreadable", mine, []string{"X-Signature: x"}, 403},
		{"of another body", mine, []string{signed(secretOfOne, body+" ")}, 403},
	} {
		a := post(tc.c, tc.headers...)
		if a.status != tc.status {
			t.Errorf("%s: %d, want %d", tc.name, a.status, tc.status)
		}
		if got := u.take(); len(got) != map[int]int{200: 1, 403: 0}[tc.status] {
			t.Errorf("%s: %d requests reached the upstream", tc.name, len(got))
		}
		if tc.status == 403 {
			wantProblem(t, a, 403, "HKG-1403")
			refused = append(refused, strings.Replace(string(a.body), a.header.Get("X-Request-Id"), "", 1))
		}
	}
	for _, text := range refused {
		if text != refused[0] {
			t.Errorf("a refusal tells more: %s and %s", refused[0], text)
		}
	}

	wantStatus(t, one.do(http.MethodPost, "/v1/credentials/"+mine.id+"/signing-secret", `{"secret":"vendor-secret-canary-new","gracePeriodSeconds":60}`), 200)
	wantStatus(t, post(mine, signed("vendor-secret-canary-new", body)), 200)
	wantStatus(t, post(mine, signed(secretOfOne, body)), 200)
	u.take()

	metrics := g.Metrics(t)
	for series, want := range map[string]string{
		`{result="ok",vendor="pluggy"}`: "4", `{result="old_secret",vendor="pluggy"}`: "1", `{result="missing",vendor="pluggy"}`: "1",
		`{result="malformed",vendor="pluggy"}`: "1", `{result="mismatch",vendor="pluggy"}`: "5", `{result="duplicate",vendor="pluggy"}`: "0", `{result="ok",vendor="other"}`: "0",
	} {
		if !strings.Contains(metrics, "hookgate_proofs_total"+series+" "+want+"\n") {
			t.Errorf("hookgate_proofs_total%s is not %s", series, want)
		}
	}
	verdict := string(one.do(http.MethodPost, "/v1/credentials/verify", `{"token":"`+mine.token+`"}`).body)
	for _, result := range []string{"ok", "old_secret", "missing", "malformed", "mismatch"} {
		if !strings.Contains(verdict, `"result":"`+result+`"`) {
			t.Errorf("verify does not show %s: %s", result, verdict)
		}
	}
	everywhere := map[string]string{
		"metrics": metrics, "the verdict": verdict, "the log": g.Output.String(), "what Redis was told": watched(),
		"the list": string(one.do(http.MethodGet, "/v1/credentials", "").body), "the audit log": string(one.do(http.MethodGet, "/v1/audit", "").body),
	}
	for where, text := range everywhere {
		if strings.Contains(text, "vendor-secret-canary") {
			t.Errorf("a secret is in %s", where)
		}
	}
}

// TestUnsealable: what cannot be opened is 503, before the address is looked at, and the
// process says so.
func TestUnsealable(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	c := config{store: onRedis(t), upstream: u.addr, app: []string{sealKey}, guard: []string{"vendor pluggy {\n\t\t\tallow_ips 198.51.100.1\n\t\t}"}}
	g := start(t, c)
	sealed := g.operator(t, tenantA, "admin").mintVerified("pluggy", secretOfOne)
	c.app = []string{otherSealKey}
	other := start(t, c)
	plain := other.operator(t, tenantA, "admin").mintWebhook("pluggy")
	a := other.post(t, other.Vendors+sealed.path(), "{}", signed(secretOfOne, "{}"))
	wantProblem(t, a, http.StatusServiceUnavailable, "HKG-1503")
	if a.header.Get("Retry-After") == "" {
		t.Error("without Retry-After")
	}
	wantProblem(t, other.use(t, plain), http.StatusForbidden, "HKG-1403")
	verdict := other.operator(t, tenantA, "viewer").do(http.MethodPost, "/v1/credentials/verify", `{"token":"`+sealed.token+`"}`)
	if !strings.Contains(string(verdict.body), "seal_key") {
		t.Errorf("the verdict does not say why: %s", verdict.body)
	}
	if ready := other.Readiness(); ready.Status != "degraded" {
		t.Errorf("readiness %+v", ready)
	}
	if !strings.Contains(other.Metrics(t), "hookgate_keyring_unsealable_credentials 1\n") {
		t.Error("no metric of it")
	}
	u.wantNothing(t)
}

// TestReplay: of one event that comes at once to two processes one is delivered, and what
// comes later is answered as it was; a delivery that failed does not use it up.
func TestReplay(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	c := config{store: onRedis(t), upstream: u.addr, app: []string{sealKey}, guard: []string{
		"vendor pluggy {\n\t\t\treplay 1m\n\t\t}", "vendor belvo {\n\t\t\treplay 1m\n\t\t\tsuccess 202 [accepted]\n\t\t}",
	}}
	gates := []*gate{start(t, c), start(t, c)}
	admin := gates[0].operator(t, tenantA, "admin")
	own, other, worded := admin.mintVerified("pluggy", secretOfOne), admin.mintVerified("pluggy", secretOfTwo), admin.mintVerified("belvo", secretOfOne)
	for _, made := range []credential{own, other, worded} {
		hookgatetest.Eventually(t, "the other process has it", func() bool { return gates[1].get(t, gates[1].Vendors+made.path()).status == 204 })
	}
	post := func(g *gate, c credential, secret, body string) answer {
		return g.post(t, g.Vendors+c.path(), body, signed(secret, body))
	}

	for _, failing := range []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		u.answerWith(failing)
		wantStatus(t, post(gates[0], own, secretOfOne, "one"), 502)
	}
	u.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		w.Write([]byte("made"))
	})
	wantStatus(t, post(gates[1], own, secretOfOne, "one"), 201)
	u.take()
	for _, g := range gates {
		a := post(g, own, secretOfOne, "one")
		wantStatus(t, a, 201)
		if len(a.body) > 0 || a.header.Get("X-Hookgate-Duplicate") != "true" {
			t.Errorf("a duplicate gets %q, %v", a.body, a.header)
		}
	}
	u.wantNothing(t)
	wantStatus(t, post(gates[0], own, secretOfOne, "two"), 201)
	wantStatus(t, post(gates[0], other, secretOfTwo, "one"), 201)
	if got := u.take(); len(got) != 2 {
		t.Errorf("%d others reached the upstream", len(got))
	}
	wantProblem(t, gates[0].post(t, gates[0].Vendors+own.path(), "one", signed("wrong", "one")), 403, "HKG-1403")

	for range 2 {
		if a := post(gates[0], worded, secretOfOne, "one"); a.status != 202 || string(a.body) != "[accepted]" || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("success is %d %q", a.status, a.body)
		}
	}
	u.take()

	// Both processes at once, the first of them held up by the upstream.
	entered, leave := make(chan struct{}, 20), make(chan struct{})
	u.answerWith(func(http.ResponseWriter, *http.Request) { entered <- struct{}{}; <-leave })
	var all sync.WaitGroup
	all.Go(func() { post(gates[0], own, secretOfOne, "slow") })
	<-entered
	for _, g := range gates {
		a := post(g, own, secretOfOne, "slow")
		wantProblem(t, a, http.StatusServiceUnavailable, "HKG-1512")
		if a.header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
		}
	}
	close(leave)
	all.Wait()
	u.one(t)
	if metrics := gates[0].Metrics(t); !strings.Contains(metrics, `hookgate_auth_requests_total{kind="webhook",outcome="replayed",vendor="pluggy"} 2`+"\n") || strings.Contains(metrics, `hookgate_proofs_total{result="duplicate",vendor="pluggy"} 0`) {
		t.Error("duplicates do not count as replayed")
	}

	// Without Redis an event is delivered rather than lost.
	u.answerWith(nil)
	c.store.redis.Stop()
	for range 2 {
		a := post(gates[0], own, secretOfOne, "three")
		wantStatus(t, a, 200)
		line := `"an event is delivered without knowing whether it was before","request_id":"` + a.header.Get("X-Request-Id") + `"`
		if !strings.Contains(gates[0].Output.String(), line) {
			t.Error("the log does not say so under the request's id")
		}
	}
	if got := u.take(); len(got) != 2 || !strings.Contains(gates[0].Metrics(t), "hookgate_replays_unchecked_total 2\n") {
		t.Errorf("without Redis %d were delivered", len(got))
	}
}

// TestHeldBodies: bodies beyond the bound are 503 at once, and the room is given back.
func TestHeldBodies(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, app: []string{"held_bodies 100KB"}, guard: []string{
		"vendor pluggy {\n\t\t\tsignature X-Signature " + secretOfBoth + "\n\t\t}",
	}})
	w := g.operator(t, tenantA, "admin").mintWebhook("pluggy")
	body := strings.Repeat("x", 60_000)
	send := func(lines ...string) *connection {
		c := g.dial(t)
		c.write(append([]string{"POST " + w.path() + " HTTP/1.1", "Host: x", signed(secretOfBoth, body), "Content-Length: " + decimalLength(body)}, lines...)...)
		return c
	}
	parked := send("Expect: 100-continue")
	if line, err := parked.r.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" { // it has its room
		t.Fatalf("%q, %v", line, err)
	}
	parked.r.ReadString('\n')
	refused := send()
	refused.Write([]byte(body))
	a := refused.answer(http.MethodPost)
	wantProblem(t, a, http.StatusServiceUnavailable, "HKG-1513")
	if a.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	u.wantNothing(t)
	parked.Write([]byte(body))
	wantStatus(t, parked.answer(http.MethodPost), 200)
	hookgatetest.Eventually(t, "the room is given back", func() bool {
		c := send()
		c.Write([]byte(body))
		return c.answer(http.MethodPost).status == 200
	})
}

// TestHandshakes: a vendor's question is answered here, and its events go on.
func TestHandshakes(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, guard: []string{
		"vendor pluggy {\n\t\t\tchallenge meta verify-token-canary\n\t\t}", "vendor belvo {\n\t\t\tchallenge cloudevents\n\t\t}",
	}})
	admin := g.operator(t, tenantA, "admin")
	meta, events := admin.mintWebhook("pluggy"), admin.mintWebhook("belvo")
	ask := g.Vendors + meta.path() + "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
	if a := g.get(t, ask+"verify-token-canary"); a.status != 200 || string(a.body) != "1158201444" || a.header.Get("Content-Type") != "text/plain; charset=utf-8" || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %q %v", a.status, a.body, a.header)
	}
	wantProblem(t, g.get(t, ask+"wrong"), 403, "HKG-1403")
	wantStatus(t, g.get(t, g.Vendors+meta.path()), 204)
	if a := g.send(t, http.MethodOptions, g.Vendors+events.path(), nil, "Webhook-Request-Origin: eventemitter.example.com"); a.status != 200 || a.header.Get("WebHook-Allowed-Origin") != "eventemitter.example.com" {
		t.Errorf("%d %v", a.status, a.header)
	}
	wantProblem(t, g.send(t, http.MethodOptions, g.Vendors+meta.path(), nil), 405, "HKG-1405")
	u.wantNothing(t)
	wantStatus(t, g.use(t, meta), 200)
	u.one(t)
	if strings.Contains(g.Output.String(), "verify-token-canary") {
		t.Error("the verify token is in the log")
	}
}
