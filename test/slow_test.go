package test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestSlowClients: what Caddyfile.example sets ends a client that sends its request
// drop by drop, however far it came.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{
		store: embedded(t), upstream: u.addr,
		servers: []string{"protocols h1", "timeouts {\n\t\t\tread_header 300ms\n\t\t\tread_body 600ms\n\t\t\twrite_idle 300ms\n\t\t\tidle 300ms\n\t\t}"},
		guard:   []string{"vendor pluggy {\n\t\t\tsignature X-Signature {env.HOOKGATE_TEST_SECRET}\n\t\t}"},
	})
	admin := g.operator(t, tenantA, "admin")
	c, signing := admin.mintCallback(""), admin.mintWebhook("pluggy")
	head := "POST " + callbackPath + " HTTP/1.1\r\nHost: x\r\nX-Callback-Token: " + c.token + "\r\n"
	for _, test := range []struct {
		name, sent string
		status     int // of the answer before the end; 0: none
	}{
		{"nothing", "", 0},
		{"half a request line", "POST /v1/exc", 0},
		{"half a header", head, 0},
		{"half a body", head + "Content-Length: 10\r\n\r\n01234", http.StatusRequestTimeout},
		{"half a chunk", head + "Transfer-Encoding: chunked\r\n\r\na\r\n01234", http.StatusRequestTimeout},
		{"no last chunk", head + "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n", http.StatusRequestTimeout},
		{"half a signed body", "POST " + signing.path() + " HTTP/1.1\r\nHost: x\r\n" + signed(hookgatetest.JWTSecret, "0123456789") + "\r\nContent-Length: 10\r\n\r\n01234", http.StatusRequestTimeout},
		{"half a body, refused", strings.Replace(head, c.token, plausible("mcb_", 1), 1) + "Content-Length: 10\r\n\r\n01234", http.StatusUnauthorized},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			conn := g.dial(t)
			io.WriteString(conn, test.sent)
			if test.status != 0 {
				wantStatus(t, conn.answer(http.MethodPost), test.status)
				conn.wantEnd()
			} else if text, err := io.ReadAll(conn); err != nil || len(text) > 0 && !strings.HasPrefix(string(text), "HTTP/1.1 400 ") {
				t.Errorf("%q, %v", text, err)
			}
		})
	}
	t.Run("nothing after an answer", func(t *testing.T) {
		conn := g.dial(t)
		io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
		wantStatus(t, conn.answer(http.MethodPost), http.StatusNotFound)
		conn.wantEnd()
	})
	t.Run("answers that nobody reads", func(t *testing.T) {
		conn := g.dial(t)
		many := strings.Repeat("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 100)
		var err error
		for err == nil { // until the buffers of both sides are full
			_, err = io.WriteString(conn, many)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the connection is held")
		}
	})
	t.Run("HTTP/2 without TLS", func(t *testing.T) {
		conn := g.dial(t)
		io.WriteString(conn, http2.ClientPreface+"\x00\x00\x00\x04\x00\x00\x00\x00\x00") // and empty SETTINGS
		if text, err := io.ReadAll(conn); err == nil && len(text) > 0 && !strings.HasPrefix(string(text), "HTTP/1.1 4") && !strings.HasPrefix(string(text), "HTTP/1.1 5") {
			t.Errorf("%q", text)
		}
	})
	for _, got := range u.take() {
		if !got.broken {
			t.Errorf("the upstream took half a request for a whole one:\n%s", got)
		}
	}
}

// TestRefusedBeforeTheBody: who announces a body and withholds it is answered without it
// by operators' and probes' listeners, too, where Caddy waits for a minute.
func TestRefusedBeforeTheBody(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: embedded(t)})
	for _, test := range []struct {
		base, line string
		status     int
	}{
		{g.Admin, "POST /v1/credentials", http.StatusUnauthorized},
		{g.Admin, "POST /rest/v1/rpc/create_api_credential_record", http.StatusUnauthorized},
		{g.Admin, "POST /nowhere", http.StatusNotFound},
		{g.Admin, "GET /healthz", http.StatusOK},
		{g.Admin, "PUT /v1/credentials", http.StatusMethodNotAllowed},
		{g.Status, "GET /healthz", http.StatusOK},
		{g.Status, "GET /metrics", http.StatusOK},
		{g.Status, "GET /nowhere", http.StatusNotFound},
	} {
		for _, framing := range []string{"Content-Length: 1000", "Transfer-Encoding: chunked"} {
			t.Run(test.line+", "+framing, func(t *testing.T) {
				t.Parallel()
				conn := dial(t, test.base)
				fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", test.line, framing)
				wantStatus(t, conn.answer(http.MethodPost), test.status)
				conn.wantEnd()
			})
		}
	}
	// A body that is there leaves the connection as it was.
	conn := dial(t, g.Admin)
	for range 2 {
		io.WriteString(conn, "POST /v1/credentials HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
		wantStatus(t, conn.answer(http.MethodPost), http.StatusUnauthorized)
	}
}
