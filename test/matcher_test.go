package test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hookgate/hookgate/test/docs"
	"github.com/hookgate/hookgate/test/hookgatetest"
	"github.com/hookgate/hookgate/test/matcher"
)

const (
	exceptionA = "7d4f5c1e-0000-4000-8000-00000000000a"
	exceptionB = "7d4f5c1e-0000-4000-8000-00000000000b"
)

// documented returns the Caddyfile below a heading of one of the pages about Matcher.
func documented(t testing.TB, heading string) string {
	t.Helper()
	var text string
	for _, page := range []string{"docs/matcher.md", "docs/matcher-2.md", "docs/matcher-4.md"} {
		text += "\n" + docs.Read(t, "..", page)
	}
	_, below, found := strings.Cut(text, "\n"+heading+"\n")
	block := regexp.MustCompile("(?s)```caddyfile\n(.*?)```").FindStringSubmatch(below)
	if !found || block == nil {
		t.Fatalf("no Caddyfile below %q", heading)
	}
	return block[1]
}

// inFrontOf runs hookgate as documented, with a real Redis, in front of a Matcher.
func inFrontOf(t *testing.T, heading string, m http.Handler, c config) (*gate, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	c.store = onRedis(t)
	c.whole, c.upstream = documented(t, heading), strings.TrimPrefix(server.URL, "http://")
	c.env = []string{"HOOKGATE_REDIS_URL=" + c.store.words, "AUTH_JWT_SECRET=" + hookgatetest.JWTSecret}
	return start(t, c), server
}

// listener notes the Authorization headers that reach a handler.
type listener struct {
	http.Handler
	mu   sync.Mutex
	last string
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	l.last = r.Header.Get("Authorization")
	l.mu.Unlock()
	l.Handler.ServeHTTP(w, r)
}

func (l *listener) authorization() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

func callbackOf(exception string) string { return "/v1/exceptions/" + exception + "/callback" }

// wantMatchers checks an answer of Matcher 2.x that went back as it is.
func wantMatchers(t testing.TB, a answer, status int, code string) {
	t.Helper()
	wantStatus(t, a, status)
	var body struct{ Code, Title, Message string }
	if err := json.Unmarshal(a.body, &body); err != nil || body.Code != code || body.Message == "" {
		t.Fatalf("want Matcher's %s: %s", code, a.body)
	}
}

// wantDelivery checks what Matcher has accepted since the last look: one delivery.
func wantDelivery(t testing.TB, got []matcher.Delivery, want matcher.Delivery) {
	t.Helper()
	if len(got) != 1 {
		t.Fatalf("Matcher accepted %v", got)
	}
	if want.IdempotencyKey == "" {
		want.IdempotencyKey = got[0].IdempotencyKey
	}
	if got[0] != want {
		t.Errorf("Matcher accepted %v, want %v", got[0], want)
	}
}

// TestBeforeMatcher2: an operator mints, a vendor posts, and Matcher 2.x, as it is,
// accepts it for the right tenant, and for nobody who comes another way.
func TestBeforeMatcher2(t *testing.T) {
	t.Parallel()
	m := &matcher.V2{
		Secret: []byte(hookgatetest.JWTSecret), MultiTenant: true, CallbackLimit: 10, DispatchLimit: 30,
		Exceptions:  map[string][]string{tenantA: {exceptionA}, tenantB: {exceptionB}},
		Connections: map[string][]string{tenantA: {"pluggy-main"}},
	}
	heard := &listener{Handler: m}
	g, server := inFrontOf(t, "# In front of Matcher 2.x", heard, config{})
	operatorA, operatorB := g.operator(t, tenantA, "admin"), g.operator(t, tenantB, "admin")
	a, b, other := operatorA.mintCallback("JIRA"), operatorB.mintCallback("JIRA"), operatorA.mintCallback("JIRA")
	body := fixture(t, "matcher-callback.json")
	post := func(c credential, exception string, headers ...string) answer {
		return g.post(t, g.Vendors+callbackOf(exception), body, append(headers, "X-Callback-Token: "+c.token, "Content-Type: application/json")...)
	}

	first := post(a, exceptionA)
	wantStatus(t, first, http.StatusOK)
	if string(first.body) != "{\"status\":\"accepted\"}\n" || first.header.Get("X-Idempotency-Replayed") != "" {
		t.Errorf("answered %v: %s", first.header, first.body)
	}
	accepted, _ := m.Take()
	wantDelivery(t, accepted, matcher.Delivery{Tenant: tenantA, Subject: "hookgate:" + a.id, Exception: exceptionA, Body: body})
	vouched := heard.authorization()

	t.Run("a retry is one", func(t *testing.T) {
		again := post(a, exceptionA)
		wantStatus(t, again, http.StatusOK)
		if accepted, _ := m.Take(); len(accepted) > 0 || again.header.Get("X-Idempotency-Replayed") != "true" {
			t.Errorf("accepted %v, answered %v", accepted, again.header)
		}
	})
	t.Run("the tenant is the credential's", func(t *testing.T) {
		wantMatchers(t, post(b, exceptionA), http.StatusNotFound, "MTCH-0501")
		wantMatchers(t, post(a, exceptionB), http.StatusNotFound, "MTCH-0501")
		// B's operator has a JWT that Matcher accepts; with A's token it counts for nothing.
		wantMatchers(t, post(a, exceptionB, "Authorization: Bearer "+operatorB.jwt, "X-Tenant-Id: "+tenantB), http.StatusNotFound, "MTCH-0501")
		wantStatus(t, post(b, exceptionB), http.StatusOK)
		accepted, _ := m.Take()
		wantDelivery(t, accepted, matcher.Delivery{Tenant: tenantB, Subject: "hookgate:" + b.id, Exception: exceptionB, Body: body})
	})
	t.Run("past the guard", func(t *testing.T) {
		for _, header := range []string{"X-Callback-Token: " + a.token, "Authorization: Bearer " + a.token, "X-Tenant-Id: " + tenantA} {
			wantMatchers(t, g.post(t, server.URL+callbackOf(exceptionA), body, header, "X-Idempotency-Key: k"), http.StatusUnauthorized, "MTCH-0003")
		}
	})
	t.Run("what Matcher refuses goes back as it is", func(t *testing.T) {
		wantMatchers(t, post(a, exceptionA, "X-Idempotency-Key: not one"), http.StatusBadRequest, "MTCH-0015")
		wantMatchers(t, g.post(t, g.Vendors+callbackOf(exceptionA), "{}", "X-Callback-Token: "+a.token), http.StatusBadRequest, "MTCH-0001")
		wantMatchers(t, post(a, "7d4f"), http.StatusBadRequest, "MTCH-0001")
		wantMatchers(t, g.post(t, g.Vendors+callbackOf(exceptionA), strings.Replace(body, "RESOLVED", "CLOSED", 1), "X-Callback-Token: "+other.token), http.StatusInternalServerError, "MTCH-0002")
	})
	t.Run("webhooks", func(t *testing.T) { // the guard has no path for them
		wantProblem(t, operatorA.do(http.MethodPost, webhookTokens, `{"vendor":"pluggy","connection_config_name":"pluggy-main"}`), http.StatusServiceUnavailable, "HKG-2005")
	})
	t.Run("no webhooks", func(t *testing.T) {
		wantProblem(t, g.post(t, g.Vendors+webhooksPath+"pluggy/"+a.token, "{}"), http.StatusNotFound, "HKG-1404")
	})
	m.Take()

	// The JWT outlives the revocation, and the guard does not care.
	operatorA.revoke(a)
	wantProblem(t, post(a, exceptionA), http.StatusUnauthorized, "HKG-1401")
	if accepted, refused := m.Take(); len(accepted)+len(refused) > 0 {
		t.Errorf("Matcher accepted %v and refused %v", accepted, refused)
	}
	wantStatus(t, g.post(t, server.URL+callbackOf(exceptionA), body, "Authorization: "+vouched, "X-Idempotency-Key: other"), http.StatusOK)
	wantProblem(t, g.get(t, g.Admin+callbackCredentials, "Authorization: "+vouched), http.StatusUnauthorized, "HKG-2401")

	t.Run("what is about us is a failure of ours", func(t *testing.T) {
		m.Begin(tenantB, "JIRA", exceptionB, "vendor:1")
		again := post(b, exceptionB, "X-Idempotency-Key: vendor:1")
		wantProblem(t, again, http.StatusServiceUnavailable, "HKG-1512")
		m.End(tenantB, "JIRA", exceptionB, "vendor:1")
		wantStatus(t, post(b, exceptionB, "X-Idempotency-Key: vendor:1"), http.StatusOK)
		var full answer
		for i := range 10 {
			if full = post(b, exceptionB, fmt.Sprintf("X-Idempotency-Key: vendor:2:%d", i)); full.status != http.StatusOK {
				break
			}
		}
		wantProblem(t, full, http.StatusServiceUnavailable, "HKG-1512")
		if got := again.header.Get("Retry-After") + " " + full.header.Get("Retry-After"); got != "5 60" {
			t.Errorf("Retry-After: %s", got)
		}
		unserved := g.operator(t, "0199d5a4-0000-7000-8000-00000000000c", "admin").mintCallback("JIRA")
		wantProblem(t, post(unserved, exceptionA), http.StatusBadGateway, "HKG-1511")
		for code, least := range map[string]float64{"200": 3, "404": 4, "409": 1, "429": 1, "500": 1} {
			if got := metric(t, g, `hookgate_upstream_responses_total{code="`+code+`",kind="callback"}`); got < least {
				t.Errorf("%v answers with %s are counted", got, code)
			}
		}
		if log := g.Output.String(); !strings.Contains(log, `"upstream_status":404,"upstream_code":"TENANT_NOT_FOUND"`) {
			t.Error("the log does not say what Matcher answered")
		}
	})

	// At last, so many that Matcher has enough of one credential.
	var last answer
	for range 31 {
		if last = post(b, exceptionB); last.status != http.StatusOK {
			break
		}
	}
	wantStatus(t, last, http.StatusTooManyRequests)
	if !strings.Contains(string(last.body), `"code":429`) || last.header.Get("Retry-After") != "57" {
		t.Errorf("%v: %s", last.header, last.body)
	}
}

// TestWebhooksBesideMatcher2: webhooks go to a receiver of one's own, which gets
// nothing that it could use at Matcher.
func TestWebhooksBesideMatcher2(t *testing.T) {
	t.Parallel()
	m := &matcher.V2{Secret: []byte(hookgatetest.JWTSecret), MultiTenant: true, Exceptions: map[string][]string{tenantA: {exceptionA}}}
	u := newUpstream(t)
	g, _ := inFrontOf(t, "## Webhooks beside Matcher 2.x", m, config{receiver: u.addr})
	operator := g.operator(t, tenantA, "admin")
	c, pluggy, belvo := operator.mintCallback("JIRA"), operator.mintWebhook("pluggy"), operator.mintWebhook("belvo")

	body := fixture(t, "belvo-historical-update.json")
	wantStatus(t, g.post(t, g.Vendors+belvo.path()+"?a=%2F", body, "X-Forwarded-For: 18.220.61.186", "Authorization: Basic belvo"), http.StatusOK)
	got := u.one(t)
	if got.target != "/hooks/belvo/belvo-main?a=%2F" || got.body != body {
		t.Errorf("at the receiver: %s", got)
	}
	wantHeader(t, got, "Authorization")
	wantHeader(t, got, "X-Forwarded-For", "18.220.61.186")
	wantIdentity(t, got, tenantA, belvo.id, identityOf(belvo))
	wantProblem(t, g.post(t, g.Vendors+belvo.path(), body, "X-Forwarded-For: 198.51.100.1"), http.StatusForbidden, "HKG-1403")
	wantStatus(t, g.use(t, pluggy), http.StatusOK)
	u.one(t)

	wantStatus(t, g.post(t, g.Vendors+callbackOf(exceptionA), fixture(t, "matcher-callback.json"), "X-Callback-Token: "+c.token), http.StatusOK)
	accepted, _ := m.Take()
	wantDelivery(t, accepted, matcher.Delivery{Tenant: tenantA, Subject: "hookgate:" + c.id, Exception: exceptionA, Body: fixture(t, "matcher-callback.json")})
	for _, path := range []string{"/hooks/belvo/belvo-main", "/v1/discovery/webhooks"} {
		wantProblem(t, g.post(t, g.Vendors+path, "{}"), http.StatusNotFound, "HKG-1404")
	}
	wantProblem(t, g.post(t, g.Vendors+"/V1/discovery/webhooks/pluggy/"+pluggy.token, "{}"), http.StatusBadRequest, "HKG-1400")
	u.wantNothing(t)
}

// importDigest imports a token of Matcher's and returns it as a credential.
func (o operator) importDigest(token, line string) credential {
	o.t.Helper()
	digest := sha256.Sum256([]byte(token))
	a := o.do(http.MethodPost, "/v1/credentials/import", fmt.Sprintf(`{"credentials":[{"digest":"%s",%s}]}`, hex.EncodeToString(digest[:]), line))
	wantStatus(o.t, a, http.StatusOK)
	var body struct {
		Results []struct{ ID, Status, Code string }
	}
	if err := json.Unmarshal(a.body, &body); err != nil || len(body.Results) != 1 || body.Results[0].Status != "created" {
		o.t.Fatalf("%v: %s", err, a.body)
	}
	return credential{id: body.Results[0].ID, token: token, collection: "/v1/credentials"}
}

// TestBeforeMatcher4: what Matcher 4.1 mints keeps working through the guard, and is
// checked twice.
func TestBeforeMatcher4(t *testing.T) {
	t.Parallel()
	const signing = "what pluggy would sign with"
	m := &matcher.V4{
		Secret: []byte(hookgatetest.JWTSecret), TrustedProxies: []string{"127.0.0.1"}, PageSize: 1,
		Providers: map[string]matcher.Provider{"belvo": {AllowIPs: []string{"3.130.254.46", "18.220.61.186"}}, "pluggy": {Secret: signing}},
		Aggregators: map[string][]matcher.Aggregator{tenantA: {
			{Vendor: "belvo", ConfigName: "belvo-main"}, {Vendor: "belvo", ConfigName: "other"}, {Vendor: "pluggy", ConfigName: "pluggy-main"},
		}},
	}
	g, server := inFrontOf(t, "# In front of Matcher 4.1", m, config{})
	operator := g.operator(t, tenantA, "admin")
	secrets := canaries{}
	callbackToken := secrets.add("callback token of Matcher", m.MintCallback(tenantA))
	belvoToken := secrets.add("belvo token of Matcher", m.MintWebhook(tenantA, "belvo", "belvo-main"))
	pluggyToken := secrets.add("pluggy token of Matcher", m.MintWebhook(tenantA, "pluggy", "pluggy-main"))

	callbackBody, belvoBody := fixture(t, "matcher-callback.json"), fixture(t, "belvo-historical-update.json")
	callback := func(base string) answer {
		return g.post(t, base+callbackOf(exceptionA), callbackBody, "X-Callback-Token: "+callbackToken)
	}
	belvo := func(from string) answer {
		return g.post(t, g.Vendors+webhooksPath+"belvo/"+belvoToken, belvoBody, "X-Forwarded-For: "+from)
	}
	pluggy := func(signature string) answer {
		return g.post(t, g.Vendors+webhooksPath+"pluggy/"+pluggyToken, "{}", "X-Webhook-Signature: "+signature)
	}
	nothing := func(t *testing.T) {
		t.Helper()
		if accepted, refused := m.Take(); len(accepted)+len(refused) > 0 {
			t.Errorf("Matcher accepted %v and refused %v", accepted, refused)
		}
	}
	good := strings.TrimPrefix(signed(signing, "{}"), "X-Signature: ")

	for _, a := range []answer{callback(g.Vendors), belvo("3.130.254.46"), pluggy(good)} {
		wantProblem(t, a, http.StatusUnauthorized, "HKG-1401")
	}
	nothing(t)

	c := operator.importDigest(callbackToken, `"kind":"callback","label":"JIRA"`)
	operator.importDigest(belvoToken, `"kind":"webhook","vendor":"belvo","connection":"belvo-main"`)
	operator.importDigest(pluggyToken, `"kind":"webhook","vendor":"pluggy","connection":"pluggy-main"`)
	fromBelvo := matcher.Delivery{Tenant: tenantA, Provider: "belvo", Connection: "belvo-main", Body: belvoBody}
	for _, test := range []struct {
		name   string
		post   func() answer
		status int
		want   matcher.Delivery
	}{
		{"callback", func() answer { return callback(g.Vendors) }, http.StatusOK, matcher.Delivery{Tenant: tenantA, Exception: exceptionA, Body: callbackBody}},
		{"by address", func() answer { return belvo("3.130.254.46") }, http.StatusAccepted, fromBelvo},
		{"by address, behind a forged one", func() answer { return belvo("6.6.6.6, 18.220.61.186") }, http.StatusAccepted, fromBelvo},
		{"by signature", func() answer { return pluggy(good) }, http.StatusAccepted, matcher.Delivery{Tenant: tenantA, Provider: "pluggy", Connection: "pluggy-main", Body: "{}"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantStatus(t, test.post(), test.status)
			accepted, _ := m.Take()
			wantDelivery(t, accepted, test.want)
		})
	}

	t.Run("the guard checks", func(t *testing.T) {
		wantProblem(t, belvo("6.6.6.6"), http.StatusForbidden, "HKG-1403")
		wantProblem(t, belvo("3.130.254.46, 6.6.6.6"), http.StatusForbidden, "HKG-1403")
		wantProblem(t, g.post(t, g.Vendors+webhooksPath+"pluggy/"+belvoToken, "{}"), http.StatusUnauthorized, "HKG-1401")
		nothing(t)
	})
	t.Run("Matcher checks", func(t *testing.T) {
		// Among Belvo's addresses as the guard knows them, but not as this Matcher does.
		wantStatus(t, belvo("18.223.45.212"), http.StatusForbidden)
		wantStatus(t, pluggy(good[:63]+"0"), http.StatusForbidden)
		// A token that Matcher did not mint says nothing to it.
		operator.importDigest("of-nobody", `"kind":"webhook","vendor":"belvo","connection":"belvo-main"`)
		wantStatus(t, g.post(t, g.Vendors+webhooksPath+"belvo/of-nobody", "{}", "X-Forwarded-For: 3.130.254.46"), http.StatusUnauthorized)
		if accepted, refused := m.Take(); len(accepted) > 0 || !slices.Equal(refused, []int{403, 403, 401}) {
			t.Errorf("Matcher accepted %v and refused %v", accepted, refused)
		}
	})
	t.Run("past the guard", func(t *testing.T) {
		wantStatus(t, g.post(t, server.URL+callbackOf(exceptionA), callbackBody, "Authorization: Bearer "+operator.jwt), http.StatusUnauthorized)
		wantStatus(t, g.post(t, server.URL+webhooksPath+"belvo/"+c.id, "{}", "X-Forwarded-For: 3.130.254.46"), http.StatusUnauthorized)
		m.Take()
	})
	t.Run("connections", func(t *testing.T) {
		mint := func(tenant, vendor, connection string) answer {
			body := fmt.Sprintf(`{"vendor":%q,"connection_config_name":%q}`, vendor, connection)
			return g.operator(t, tenant, "admin").do(http.MethodPost, webhookTokens, body)
		}
		wantStatus(t, mint(tenantA, "pluggy", "pluggy-main"), http.StatusCreated) // on the third page
		wantProblem(t, mint(tenantA, "belvo", "pluggy-main"), http.StatusNotFound, "HKG-2004")
		wantProblem(t, mint(tenantA, "pluggy", "nowhere"), http.StatusNotFound, "HKG-2004")
		wantProblem(t, mint(tenantB, "pluggy", "pluggy-main"), http.StatusNotFound, "HKG-2004")
		m.Take()
	})

	t.Run("either can revoke", func(t *testing.T) {
		m.Revoke(belvoToken)
		wantStatus(t, belvo("3.130.254.46"), http.StatusUnauthorized)
		m.Take()
		wantStatus(t, operator.do(http.MethodDelete, "/v1/credentials/"+c.id, ""), http.StatusNoContent)
		wantProblem(t, callback(g.Vendors), http.StatusUnauthorized, "HKG-1401")
		nothing(t)
		wantStatus(t, callback(server.URL), http.StatusOK) // which is why nobody else may reach Matcher
	})
	secrets.search(t, "the log", g.Output.String())
	secrets.search(t, "the metrics", g.Metrics(t))
}
