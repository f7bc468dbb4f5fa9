package gate

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// behind returns a server with a gate, and behind it the standard library's proxy, as
// Caddy's reverse_proxy has it. With keyFromBody the gate holds bodies.
func behind(t *testing.T, upstream *httptest.Server, keyFromBody bool) *httptest.Server {
	t.Helper()
	g, _ := testGate(t)
	g.Policy.KeyFromBody = keyFromBody
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	return proxied(t, g, upstream, transport)
}

// proxied returns a server with g, and behind it a proxy that asks upstream by transport.
func proxied(t *testing.T, g *Gate, upstream *httptest.Server, transport http.RoundTripper) *httptest.Server {
	t.Helper()
	to, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := g.Serve(w, r, handler(func(w http.ResponseWriter, r *http.Request) (failure error) {
			proxy := httputil.NewSingleHostReverseProxy(to)
			proxy.Transport = transport
			proxy.ErrorHandler = func(_ http.ResponseWriter, _ *http.Request, err error) { failure = err }
			proxy.ServeHTTP(w, r)
			return failure
		}))
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// TestSentOnce: a delivery without a body that an upstream hangs up on is not sent again,
// whoever made its idempotency key, and the vendor learns that it may have arrived.
func TestSentOnce(t *testing.T) {
	for name, header := range map[string]string{"of the vendor": "Idempotency-Key", "the upstream's": "X-Idempotency-Key", "of the body": "X-Other"} {
		var sent, keys []string
		upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			sent = append(sent, r.URL.RawQuery)
			keys = append(keys, r.Header.Values("X-Idempotency-Key")...)
			if r.URL.RawQuery == "hang-up" {
				panic(http.ErrAbortHandler)
			}
		}))
		server := behind(t, upstream, true)
		var answer *http.Response
		var body []byte
		for _, query := range []string{"fine", "hang-up"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+callbackPath+"?"+query, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Callback-Token", callbackToken)
			r.Header.Set(header, "order-7")
			if answer, err = http.DefaultClient.Do(r); err != nil {
				t.Fatal(err)
			}
			body, _ = io.ReadAll(answer.Body)
			_ = answer.Body.Close()
		}
		upstream.Close()
		if strings.Join(sent, " ") != "fine hang-up" || len(keys) != 2 {
			t.Errorf("key %s: sent %q with %q", name, sent, keys)
		}
		if answer.StatusCode != http.StatusBadGateway || !strings.Contains(string(body), "may have been delivered") {
			t.Errorf("key %s: %d %s", name, answer.StatusCode, body)
		}
	}
}

// TestInterimAnswers: whatever proxy stands behind, they do not go to clients of HTTP/1.0,
// which take the first one for the answer.
func TestInterimAnswers(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusCreated)
	}))
	defer upstream.Close()
	server := behind(t, upstream, true)
	for version, want := range map[string]string{"1.0": "201", "1.1": "103"} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = fmt.Fprintf(conn, "POST %s HTTP/%s\r\nHost: x\r\nX-Callback-Token: %s\r\nContent-Length: 5\r\n\r\nevent", callbackPath, version, callbackToken)
		line, err := bufio.NewReader(conn).ReadString('\n')
		if _, status, _ := strings.Cut(line, " "); err != nil || !strings.HasPrefix(status, want) {
			t.Errorf("HTTP/%s: %q, %v", version, line, err)
		}
	}
}

// TestContinueOnce: a client that waits for it is told once to send its body, and not
// again by the upstream.
func TestContinueOnce(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // upon which a server tells its client to go on
		w.WriteHeader(http.StatusCreated)
	}))
	defer upstream.Close()
	server := behind(t, upstream, false)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nX-Callback-Token: %s\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n", callbackPath, callbackToken)
	from := bufio.NewReader(conn)
	first, err := from.ReadString('\n')
	if err != nil || first != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q, %v", first, err)
	}
	_, _ = io.WriteString(conn, "event")
	rest, err := io.ReadAll(from)
	if err != nil || !strings.HasPrefix(string(rest), "\r\nHTTP/1.1 201 Created\r\n") {
		t.Errorf("after it came %q, %v", rest, err)
	}
}

// TestNoAnswerIsNoSuccess: where nobody wrote an answer a server would say 200, and the
// vendor take the event for delivered. Caddy's proxy is silent so about an upstream that
// switches protocols.
func TestNoAnswerIsNoSuccess(t *testing.T) {
	g, _ := testGate(t)
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, callbackPath, strings.NewReader("event"))
	r.Header.Set("X-Callback-Token", callbackToken)
	if err := g.Serve(w, r, handler(func(http.ResponseWriter, *http.Request) error { return nil })); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusBadGateway || !strings.Contains(w.Body.String(), "may have been delivered") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
