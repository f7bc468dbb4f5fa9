package admin_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/admin/connections"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
)

func TestPathsMatchExactly(t *testing.T) {
	s := newServer(t)
	id := uuid.NewString()
	for _, target := range []string{
		"/", "//", "/v1", "/v1/credentials/", "/v1/audit/", "/v1/exceptions/callbacks",
		callbacksPath + "/", "/" + callbacksPath, "/v1//exceptions/callbacks/credentials", "/x/.." + callbacksPath,
		"/v1/./exceptions/callbacks/credentials", "/V1/exceptions/callbacks/credentials", "/v1/%65xceptions/callbacks/credentials",
		callbacksPath + "%2F" + id, callbacksPath + "/" + id + "/", callbacksPath + "/" + id + "/rotate/", callbacksPath + "/" + id + "/rotate/x",
		callbacksPath + "/" + id + "%00", tokensPath + "/" + id + "/finish", "/v1/discovery/webhooks/pluggy/mwh_x", "/v1/exceptions/" + id + "/callback",
	} {
		for _, method := range []string{"GET", "POST", "DELETE", "OPTIONS", "CONNECT"} {
			a := s.as(adminOf(t, tenantA), method, "http://admin.test"+target, "")
			checkProblem(t, a, 404, "HKG-2404")
			if a.Header.Get("Location") != "" {
				t.Errorf("%s %s: redirect to %s", method, target, a.Header.Get("Location"))
			}
		}
	}
}

func TestRequestTargetsThatAreNoPath(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{"*", ""} {
		for _, method := range []string{"OPTIONS", "CONNECT"} {
			checkProblem(t, s.raw("", method, path), 404, "HKG-2404")
		}
	}
}

func TestOtherMethods(t *testing.T) {
	s := newServer(t)
	id := uuid.NewString()
	for path, allow := range map[string]string{
		callbacksPath:                        "GET, HEAD, POST",
		callbacksPath + "/" + id:             "DELETE",
		callbacksPath + "/" + id + "/rotate": "POST",
		tokensPath:                           "GET, HEAD, POST",
		tokensPath + "/" + id:                "DELETE",
		tokensPath + "/" + id + "/rotate":    "POST",
		"/openapi.json":                      "GET, HEAD",
	} {
		a := s.as("", "PUT", path, `{}`)
		checkProblem(t, a, 405, "HKG-2405")
		if got := a.Header.Get("Allow"); got != allow {
			t.Errorf("%s: Allow %q, want %q", path, got, allow)
		}
	}
}

func TestRequestIDIsOurs(t *testing.T) {
	s := newServer(t)
	seen := map[string]bool{}
	for range 3 {
		r := request("GET", callbacksPath, "")
		r.Header.Set("X-Request-Id", "chosen-by-the-client")
		r.Header.Set("Authorization", adminOf(t, tenantA))
		id := s.send(r).Header.Get("X-Request-Id")
		if _, err := uuid.Parse(id); err != nil || seen[id] {
			t.Errorf("X-Request-Id %q", id)
		}
		seen[id] = true
	}
}

func TestObserve(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	id := uuid.NewString()
	for _, c := range []struct {
		authorization, method, path, body string
		want                              observation
	}{
		{operator, "POST", callbacksPath, `{}`, observation{"mintCallbackCredential", 201}},
		{operator, "GET", callbacksPath, "", observation{"listCallbackCredentials", 200}},
		{operator, "POST", callbacksPath + "/" + id + "/rotate", "", observation{"rotateCallbackCredential", 404}},
		{operator, "DELETE", callbacksPath + "/" + id, "", observation{"revokeCallbackCredential", 404}},
		{operator, "POST", tokensPath, `{}`, observation{"mintAggregatorWebhookToken", 422}},
		{operator, "GET", tokensPath, "", observation{"listAggregatorWebhookTokens", 200}},
		{operator, "POST", tokensPath + "/x/rotate", "", observation{"rotateAggregatorWebhookToken", 422}},
		{operator, "DELETE", tokensPath + "/" + id, "{", observation{"revokeAggregatorWebhookToken", 400}},
		{"", "POST", callbacksPath, `{}`, observation{"mintCallbackCredential", 401}},
		{viewerOf(t, tenantA), "POST", callbacksPath, `{}`, observation{"mintCallbackCredential", 403}},
		{operator, "GET", "/chosen-by-the-client", "", observation{"none", 404}},
		{operator, "CHOSEN", callbacksPath, "", observation{"none", 405}},
		{"", "GET", "/openapi.json", "", observation{"none", 200}},
	} {
		s.as(c.authorization, c.method, c.path, c.body)
		if got := <-s.observed; got != c.want {
			t.Errorf("%s %s: observed %v, want %v", c.method, c.path, got, c.want)
		}
	}
	if len(s.observed) != 0 {
		t.Errorf("%d requests were observed twice", len(s.observed))
	}
}

type panicking struct{ with any }

func (p panicking) Exists(context.Context, connections.Query) (bool, error) { panic(p.with) }

func TestPanic(t *testing.T) {
	s := newServer(t, withConnections(panicking{"mwh_secret-in-a-panic"}))
	a := s.as(adminOf(t, tenantA), "POST", tokensPath, mintPluggy)
	checkProblem(t, a, 500, "HKG-2500")
	if got := <-s.observed; got != (observation{"mintAggregatorWebhookToken", 500}) {
		t.Errorf("observed %v", got)
	}
	log := s.log.String()
	if !strings.Contains(log, a.Header.Get("X-Request-Id")) || !strings.Contains(log, "type=string") || !strings.Contains(log, "front_test.go") {
		t.Errorf("the log does not say where: %s", log)
	}
	if strings.Contains(log, "secret-in-a-panic") || strings.Contains(string(a.body), "panic") {
		t.Errorf("the panic's value came out: %s\n%s", log, a.body)
	}
	s.must(200, adminOf(t, tenantA), "GET", tokensPath, "") // it goes on
}

func TestAbortIsPassedOn(t *testing.T) {
	s := newServer(t, withConnections(panicking{http.ErrAbortHandler}))
	defer func() {
		if cause := recover(); cause != http.ErrAbortHandler {
			t.Errorf("panicked with %v", cause)
		}
		if s.log.String() != "" {
			t.Errorf("logged: %s", s.log)
		}
	}()
	s.as(adminOf(t, tenantA), "POST", tokensPath, mintPluggy)
}

// TestStoreUnavailable: Redis is not there at all.
func TestStoreUnavailable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close() // now nobody listens there
	s := newServerOn(t, newStore(t, store.Config{Redis: redisconn.Server{URLs: []string{"redis://:hunter2@" + address}}, Namespace: "hookgate"}))
	operator, id := adminOf(t, tenantA), uuid.NewString()
	for _, c := range []struct{ method, path, body string }{
		{"POST", callbacksPath, `{}`},
		{"GET", callbacksPath, ""},
		{"POST", callbacksPath + "/" + id + "/rotate", ""},
		{"DELETE", callbacksPath + "/" + id, ""},
		{"POST", tokensPath, mintPluggy},
		{"GET", tokensPath, ""},
		{"POST", tokensPath + "/" + id + "/rotate", ""},
		{"DELETE", tokensPath + "/" + id, ""},
	} {
		a := s.as(operator, c.method, c.path, c.body)
		checkProblem(t, a, 503, "HKG-2503")
		if a.Header.Get("Retry-After") == "" || a.Header.Get("Cache-Control") != "" {
			t.Errorf("headers %v", a.Header)
		}
		if strings.Contains(string(a.body), address) || strings.Contains(string(a.body), "token") {
			t.Errorf("too much is said: %s", a.body)
		}
	}
	if strings.Contains(s.log.String(), "hunter2") {
		t.Errorf("the password is logged: %s", s.log)
	}
}

func TestStoreNotStarted(t *testing.T) {
	dormant, err := store.New(store.Config{EmbeddedDir: t.TempDir(), Namespace: "hookgate"})
	if err != nil {
		t.Fatal(err)
	}
	s := newServerOn(t, dormant)
	checkProblem(t, s.as(adminOf(t, tenantA), "POST", callbacksPath, `{}`), 503, "HKG-2503")
}

// TestOverTheWire sends what httptest cannot: HEAD, a body that ends early, and an
// absolute request target.
func TestOverTheWire(t *testing.T) {
	s := newServer(t)
	web := httptest.NewServer(s.handler)
	defer web.Close()
	for _, c := range []struct {
		name, head string
		status     int
	}{
		{"HEAD", "HEAD " + callbacksPath + " HTTP/1.1\r\n", 200},
		{"absolute form", "GET http://elsewhere.test" + callbacksPath + " HTTP/1.1\r\n", 200},
		{"body ends early", "POST " + callbacksPath + " HTTP/1.1\r\nContent-Length: 100\r\n", 400},
		{"chunk is malformed", "POST " + callbacksPath + " HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", 400},
		{"a body declared too long", "POST " + callbacksPath + " HTTP/1.1\r\nContent-Length: 1000000\r\n", 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", web.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "%sHost: admin.test\r\nAuthorization: %s\r\n\r\n", c.head, adminOf(t, tenantA))
			if strings.HasPrefix(c.head, "POST") {
				io.WriteString(conn, "zz\r\n")
				conn.(*net.TCPConn).CloseWrite()
			}
			response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: strings.Fields(c.head)[0]})
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != c.status || response.Header.Get("X-Request-Id") == "" {
				t.Errorf("got %d with %v", response.StatusCode, response.Header)
			}
		})
	}
}

func TestObserverAndLoggerAreOptional(t *testing.T) {
	s := newServer(t, func(c *admin.Config) { c.Observe, c.Logger, c.Now = nil, nil, nil })
	checkProblem(t, s.as("", "GET", callbacksPath, ""), 401, "HKG-2401")
}
