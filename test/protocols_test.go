package test

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// protocol is one way to reach a gate.
type protocol struct {
	name     string
	gate     *gate
	upstream *upstream
	client   *http.Client // as libraries speak it
	exchange exchange     // as nobody should; nil for HTTP/1.1
	trust    *tls.Config
}

// eachProtocol runs a test over every protocol that the server speaks.
func eachProtocol(t *testing.T, guard []string, test func(*testing.T, protocol)) {
	t.Parallel()
	t.Run("TLS", func(t *testing.T) {
		t.Parallel()
		words, trust := certificate(t)
		u := newUpstream(t)
		g := start(t, config{store: embedded(t), upstream: u.addr, tls: words, guard: guard, global: []string{"auto_https off"}})
		addr := strings.TrimPrefix(g.Vendors, "https://")
		// The server listens for HTTP/3 behind the others.
		over := func(roundTripper http.RoundTripper) *http.Client {
			return &http.Client{Transport: roundTripper, Timeout: hookgatetest.Patience}
		}
		h1 := &http.Transport{TLSClientConfig: trust.Clone(), Protocols: new(http.Protocols)}
		h1.Protocols.SetHTTP1(true)
		h2 := &http.Transport{TLSClientConfig: trust.Clone(), Protocols: new(http.Protocols)}
		h2.Protocols.SetHTTP2(true)
		h3 := &http3.Transport{TLSClientConfig: trust.Clone()}
		t.Cleanup(func() { h1.CloseIdleConnections(); h2.CloseIdleConnections(); h3.Close() })
		for _, p := range []protocol{
			{"HTTP/1.1", g, u, over(h1), nil, trust},
			{"HTTP/2", g, u, over(h2), overHTTP2(addr, trust), trust},
			{"HTTP/3", g, u, over(h3), overHTTP3(addr, trust), trust},
		} {
			t.Run(p.name, func(t *testing.T) { test(t, p) })
		}
	})
	t.Run("h2c", func(t *testing.T) {
		t.Parallel()
		u := newUpstream(t)
		g := start(t, config{store: embedded(t), upstream: u.addr, guard: guard, servers: []string{"protocols h1 h2c"}})
		h2c := &http.Transport{Protocols: new(http.Protocols)}
		h2c.Protocols.SetUnencryptedHTTP2(true)
		t.Cleanup(h2c.CloseIdleConnections)
		test(t, protocol{"h2c", g, u, &http.Client{Transport: h2c, Timeout: hookgatetest.Patience}, overHTTP2(strings.TrimPrefix(g.Vendors, "http://"), nil), nil})
	})
}

func (p protocol) do(t *testing.T, method, target, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequest(method, p.gate.Vendors+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	response, err := p.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

// operated returns the operator of a gate whose vendors' site may be TLS.
func (p protocol) operator(t *testing.T) operator { return p.gate.operator(t, tenantA, "admin") }

// TestProtocolsBehaveAlike: what real clients send is answered in the same way over
// every protocol.
func TestProtocolsBehaveAlike(t *testing.T) {
	eachProtocol(t, []string{"max_body 1KB"}, func(t *testing.T, p protocol) {
		c, w := p.operator(t).mintCallback("JIRA"), p.operator(t).mintWebhook("pluggy")
		token := "X-Callback-Token: " + c.token
		for _, test := range []struct {
			name, method, target, body string
			headers                    []string
			status                     int
			code                       string
		}{
			{"callback", "POST", callbackPath, "{}", []string{token}, 200, ""},
			{"webhook", "POST", w.path(), "{}", nil, 200, ""},
			{"probe", "GET", w.path(), "", nil, 204, ""},
			{"HEAD probe", "HEAD", w.path(), "", nil, 204, ""},
			{"repeated token", "POST", callbackPath, "{}", []string{token, token}, 400, "HKG-1400"},
			{"escape", "POST", "/v1/exceptions/7d%34f/callback", "{}", []string{token}, 400, "HKG-1400"},
			{"double slash", "POST", "//v1/exceptions/7d4f/callback", "{}", []string{token}, 400, "HKG-1400"},
			{"no token", "POST", callbackPath, "{}", nil, 401, "HKG-1401"},
			{"unknown token", "POST", webhooksPath + "pluggy/" + plausible("mwh_", 1), "{}", nil, 401, "HKG-1401"},
			{"no route", "POST", "/nowhere", "{}", []string{token}, 404, "HKG-1404"},
			{"TRACE", "TRACE", callbackPath, "", []string{token}, 405, "HKG-1405"},
			{"OPTIONS", "OPTIONS", callbackPath, "", []string{token}, 405, "HKG-1405"},
			{"unheard-of method", "BREW", callbackPath, "", []string{token}, 405, "HKG-1405"},
			{"too large", "POST", callbackPath, strings.Repeat("x", 1001), []string{token}, 413, "HKG-1413"},
			{"forged", "POST", callbackPath, "{}", []string{token, "X-Tenant-Id: forged", "X-Hookgate-Kind: forged", "X-Forwarded-For: 1.2.3.4"}, 200, ""},
		} {
			a := p.do(t, test.method, test.target, test.body, test.headers...)
			wantStatus(t, a, test.status)
			if want := map[bool]string{true: p.name, false: "HTTP/2"}[p.trust != nil]; !strings.HasPrefix(a.proto, want) {
				t.Fatalf("it went over %s, want %s", a.proto, want)
			}
			if test.code != "" {
				wantProblem(t, a, test.status, test.code)
			}
			if test.status != http.StatusOK {
				p.upstream.wantNothing(t)
				continue
			}
			got := p.upstream.one(t)
			sent := c
			if test.target != callbackPath {
				sent = w
			}
			wantIdentity(t, got, tenantA, sent.id, identityOf(sent))
			wantHeader(t, got, "X-Forwarded-For", "127.0.0.1")
			if got.body != test.body || strings.Contains(got.String(), sent.token) {
				t.Errorf("%s, at the upstream:\n%s", test.name, got)
			}
		}
		t.Run("trailers", func(t *testing.T) {
			for _, trailer := range []string{"X-Tenant-Id", "X-Hookgate-Kind", "X-Other"} {
				r, err := http.NewRequest("POST", p.gate.Vendors+callbackPath, io.MultiReader(strings.NewReader("{}")))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("X-Callback-Token", c.token)
				r.Trailer = http.Header{trailer: {"forged"}}
				response, err := p.client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				wantStatus(t, read(t, response), http.StatusOK)
				if got := p.upstream.one(t); len(got.trailer) > 0 || strings.Contains(got.String(), "forged") || got.body != "{}" {
					t.Errorf("at the upstream:\n%s", got)
				}
			}
		})
	})
}

// TestMethodsThatNoClientSends: a stream may bring any bytes as its method, and api paths
// take any method. One that is none must not become the request line of another path,
// for which the credential has no scope.
func TestMethodsThatNoClientSends(t *testing.T) {
	paths := []string{"callback /v1/exceptions/{exceptionId}/callback", "api /partners/* products:read", "api /orders/* orders:write"}
	eachProtocol(t, paths, func(t *testing.T, p protocol) {
		if p.exchange == nil {
			t.Skip("HTTP/1.1 is tested in bytes")
		}
		const secret = "of-the-reader"
		client := "reader-" + strings.NewReplacer("/", "-", ".", "-").Replace(p.name)
		wantStatus(t, p.operator(t).do(http.MethodPost, "/v1/credentials", fmt.Sprintf(
			`{"kind":"api","clientId":%q,"scopes":["products:read"],"secretHash":"sha256:%x"}`, client, sha256.Sum256([]byte(secret)))), http.StatusCreated)
		ok := post("/partners/7", "authorization: Basic "+base64.StdEncoding.EncodeToString([]byte(client+":"+secret)), "content-length: 2")
		for method, status := range map[string]int{
			"POST": 200, "BREW": 200, "TRACE": 405, "trace": 405, "connect": 405,
			"DELETE /orders/7?x=": 0, "DELETE /orders/7 HTTP/1.1\r\nX-Tenant-Id: x\r\n\r\nPUT": 0, "GET\t/orders/7": 0, "GE/T": 0, "": 0,
		} {
			a, err := p.exchange(t, ok.with(":method", method))
			switch {
			case status != 0:
				wantStatus(t, a, status)
			case err == nil && a.status != http.StatusBadRequest:
				t.Errorf("%q: status %d: %s", method, a.status, a.body)
			}
			if got := p.upstream.take(); len(got) > 0 != (status == http.StatusOK) {
				t.Errorf("%q: at the upstream: %v", method, got)
			}
		}
	})
}

// TestStreamsThatNoClientSends: what HTTP/2 and HTTP/3 can carry and HTTP/1.1 cannot
// is refused, by us or by the server below, and never reaches the upstream as
// something else than was authorised.
func TestStreamsThatNoClientSends(t *testing.T) {
	eachProtocol(t, []string{"max_body 1KB"}, func(t *testing.T, p protocol) {
		if p.exchange == nil {
			t.Skip("HTTP/1.1 is tested in bytes")
		}
		c, w := p.operator(t).mintCallback("JIRA"), p.operator(t).mintWebhook("pluggy")
		token := "x-callback-token: " + c.token
		ok := post(callbackPath, token)
		for _, test := range []struct {
			name   string
			m      message
			status int    // 0: whatever the server below makes of it, but no success
			code   string // of the problem, where we are sure to be asked
		}{
			{"callback", ok, 200, ""},
			{"webhook", post(w.path()), 200, ""},
			{":path with //", ok.with(":path", "/"+callbackPath), 400, "HKG-1400"},
			{":path with an escape", ok.with(":path", "/v1/exceptions/%37d4f/callback"), 400, "HKG-1400"},
			{":path with a dot segment", ok.with(":path", "/v1/./exceptions/7d4f/callback"), 400, "HKG-1400"},
			{":path with a parameter", ok.with(":path", callbackPath+";a=b"), 400, "HKG-1400"},
			{":path with a backslash", ok.with(":path", `/v1\exceptions/7d4f/callback`), 400, "HKG-1400"},
			{":path with a fragment", ok.with(":path", callbackPath+"#x"), 404, "HKG-1404"},
			{":path without a slash", ok.with(":path", callbackPath[1:]), 0, ""},
			{":path with a space", ok.with(":path", callbackPath+" HTTP/1.1"), 0, ""},
			{":path with a line break", ok.with(":path", callbackPath+"\r\nX-Tenant-Id: x"), 0, ""},
			{":path of absolute form", ok.with(":path", "https://hooks.example.com"+callbackPath), 0, ""},
			{":path of authority form", ok.with(":path", "hooks.example.com:443"), 0, ""},
			{":path is *", ok.with(":path", "*"), 0, ""},
			{"no :path", ok.with(":path", ""), 0, ""},
			{"no :method", ok.with(":method", ""), 0, ""},
			{":method with a space", ok.with(":method", "POST /x"), 0, ""},
			{":method in lower case", ok.with(":method", "post"), 405, "HKG-1405"},
			{"two :path", message{fields: append([]string{":path: /v1/exceptions/other/callback"}, ok.fields...), body: "{}"}, 0, ""},
			{"two :method", message{fields: append([]string{":method: GET"}, ok.fields...), body: "{}"}, 0, ""},
			{"two :authority", message{fields: append([]string{":authority: x"}, ok.fields...), body: "{}"}, 0, ""},
			{":path behind the headers", message{fields: append(ok.with(":path", "").fields, ":path: "+callbackPath), body: "{}"}, 0, ""},
			{"unheard-of pseudo-header", post(callbackPath, token).with(":scheme", "https").and(":tenant: x"), 0, ""},
			{":status in a request", post(callbackPath, token).and(":status: 200"), 0, ""},
			{"CONNECT", message{fields: []string{":method: CONNECT", ":authority: matcher:4018", token}}, 0, ""},
			{"CONNECT with a path", ok.with(":method", "CONNECT"), 0, ""},
			{"extended CONNECT", message{fields: append([]string{":protocol: websocket"}, ok.with(":method", "CONNECT").fields...), open: true}, 0, ""},
			{"extended CONNECT of a webhook", message{fields: append([]string{":protocol: websocket"}, post(w.path()).with(":method", "CONNECT").fields...), open: true}, 0, ""},
			{":protocol without CONNECT", message{fields: append([]string{":protocol: websocket"}, ok.fields...), body: "{}"}, 0, ""},
			{"TRACE", ok.with(":method", "TRACE"), 405, "HKG-1405"},
			{"token twice", post(callbackPath, token, token), 400, "HKG-1400"},
			{"token twice, one empty", post(callbackPath, token, "x-callback-token: "), 400, "HKG-1400"},
			{"token in upper case", post(callbackPath, "X-Callback-Token: "+c.token), 0, ""},
			{"line break in a header", post(callbackPath, token, "x-other: a\r\nx-tenant-id: forged"), 0, ""},
			{"line break in a header's name", post(callbackPath, token, "x-other\r\nx-tenant-id: forged"), 0, ""},
			{"longer than declared", post(callbackPath, token, "content-length: 1"), 0, ""},
			{"longer than declared, in a frame of its own", post(callbackPath, token, "content-length: 1").pieces("{", "}"), 0, ""},
			{"longer than declared and never ended", post(callbackPath, token, "content-length: 1").pieces("{", "}").unended(), 0, ""},
			{"shorter than declared", post(callbackPath, token, "content-length: 3"), 0, ""},
			{"declared too large", post(callbackPath, token, "content-length: 1001"), 413, "HKG-1413"},
		} {
			t.Run(test.name, func(t *testing.T) {
				a, err := p.exchange(t, test.m)
				switch {
				case test.code != "":
					wantProblem(t, a, test.status, test.code)
				case test.status != 0:
					wantStatus(t, a, test.status)
				case err == nil && a.status < 400:
					t.Errorf("status %d: %s", a.status, a.body)
				}
				for _, got := range p.upstream.take() {
					if test.status != http.StatusOK && !got.broken {
						t.Errorf("reached the upstream:\n%s", got)
					}
				}
			})
		}
		// What a server may let through, in parts: the identity stays ours.
		for _, test := range []struct {
			name string
			m    message
		}{
			{"connection header", post(callbackPath, token, "connection: x-tenant-id, x-hookgate-kind")},
			{"transfer-encoding", post(callbackPath, token, "transfer-encoding: chunked")},
			{"upgrade", post(callbackPath, token, "upgrade: websocket")},
			{"no :scheme", ok.with(":scheme", "")},
			{"two lengths", post(callbackPath, token, "content-length: 2", "content-length: 3")},
			{"te", post(callbackPath, token, "te: trailers, deflate")},
			{"host beside :authority", post(callbackPath, token, "host: forged")},
			{"identity headers", post(callbackPath, token, "x-tenant-id: forged", "x_tenant_id: forged", "x-hookgate-vendor: forged")},
			{"trailers", message{fields: ok.fields, body: "{}", trailers: []string{"x-tenant-id: forged", "x-callback-token: forged"}}},
			{"announced trailers", message{fields: append(ok.fields[:len(ok.fields):len(ok.fields)], "trailer: x-tenant-id"), body: "{}", trailers: []string{"x-tenant-id: forged"}}},
			{"pseudo-headers in trailers", message{fields: ok.fields, body: "{}", trailers: []string{":path: /forged"}}},
		} {
			t.Run(test.name, func(t *testing.T) {
				a, err := p.exchange(t, test.m)
				arrived := p.upstream.take()
				if err != nil || a.status != http.StatusOK {
					for _, got := range arrived {
						if !got.broken {
							t.Errorf("refused (%d, %v), and reached the upstream:\n%s", a.status, err, got)
						}
					}
					return
				}
				if len(arrived) != 1 {
					t.Fatalf("%d requests at the upstream", len(arrived))
				}
				got := arrived[0]
				wantIdentity(t, got, tenantA, c.id, identityOf(c))
				if got.body != "{}" || got.target != callbackPath || len(got.trailer) > 0 || strings.Contains(got.String(), "forged") {
					t.Errorf("at the upstream:\n%s", got)
				}
			})
		}
	})
}

func (m message) pieces(bodies ...string) message {
	m.body, m.frames = "", bodies
	return m
}

func (m message) unended() message {
	m.open = true
	return m
}

// and adds a field in front.
func (m message) and(field string) message {
	m.fields = append([]string{field}, m.fields...)
	return m
}

// TestTargetFormsOverTLS: forms of the request target that only HTTP/1.1 has.
func TestTargetFormsOverTLS(t *testing.T) {
	t.Parallel()
	words, trust := certificate(t)
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, tls: words, global: []string{"auto_https off"}})
	token := "X-Callback-Token: " + g.operator(t, tenantA, "admin").mintCallback("").token
	for _, test := range []struct {
		line   string
		status int // 0: net/http answers before any handler
	}{
		{"POST https://hooks.example.com" + callbackPath + " HTTP/1.1", 400},
		{"POST http://127.0.0.1:1" + callbackPath + " HTTP/1.1", 400},
		{"POST hooks.example.com:443 HTTP/1.1", 0},
		{"POST " + callbackPath[1:] + " HTTP/1.1", 0},
		{"POST * HTTP/1.1", 400},
		{"OPTIONS * HTTP/1.1", 0},
		{"CONNECT matcher:4018 HTTP/1.1", 400},
		{"CONNECT " + callbackPath + " HTTP/1.1", 405},
		{"TRACE " + callbackPath + " HTTP/1.1", 405},
		{"PRI * HTTP/2.0", 0},
		{"POST " + callbackPath + " HTTP/1.0", 200},
		{"POST " + callbackPath, 0},
	} {
		t.Run(test.line, func(t *testing.T) {
			raw, err := tls.Dial("tcp", strings.TrimPrefix(g.Vendors, "https://"), trust)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { raw.Close() })
			raw.SetDeadline(time.Now().Add(hookgatetest.Patience))
			conn := &connection{raw, t, bufio.NewReader(raw)}
			conn.write(test.line, "Host: hooks.example.com", token, "Content-Length: 0", "Connection: close")
			if test.status == 0 {
				if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Log(err)
				}
			} else {
				wantStatus(t, conn.answer(http.MethodPost), test.status)
			}
			if got := u.take(); len(got) > 0 != (test.status == http.StatusOK) {
				t.Errorf("at the upstream: %v", got)
			}
		})
	}
}
