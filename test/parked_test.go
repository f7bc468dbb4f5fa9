package test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestParkedRequest: a request whose header came before the revocation, and the end of
// its body after, is not delivered.
func TestParkedRequest(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{"streamed": nil, "held": {"idempotency_key body"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			g := start(t, config{store: embedded(t), upstream: u.addr, guard: lines})
			admin := g.operator(t, tenantA, "admin")
			for _, framing := range []struct{ header, first, rest string }{
				{"Content-Length: 4", "{\r", "\n}"},
				{"Transfer-Encoding: chunked", "2\r\n{}\r\n", "0\r\n\r\n"},
			} {
				c := admin.mintCallback("")
				conn, err := net.Dial("tcp", strings.TrimPrefix(g.vendors, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nX-Callback-Token: %s\r\n%s\r\n\r\n%s", callbackPath, c.token, framing.header, framing.first)
				admin.revoke(c)
				wantStatus(t, g.use(t, c), http.StatusUnauthorized)
				fmt.Fprint(conn, framing.rest)
				answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				if answer.StatusCode != http.StatusUnauthorized {
					t.Errorf("%s: status %d", framing.header, answer.StatusCode)
				}
				for _, got := range u.take() {
					if !got.broken {
						t.Errorf("%s: delivered %q", framing.header, got.body)
					}
				}
			}
		})
	}
}

// TestUnframedBody: HTTP/1.0 knows no chunks, so that a body in chunks would be taken
// for none, and the event be lost with a 200.
func TestUnframedBody(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr})
	c := g.operator(t, tenantA, "admin").mintCallback("")
	for framing, want := range map[string]int{
		"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n": http.StatusBadRequest,
		"Content-Length: 2\r\n\r\n{}":                            http.StatusOK,
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(g.vendors, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST %s HTTP/1.0\r\nHost: x\r\nX-Callback-Token: %s\r\n%s", callbackPath, c.token, framing)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%q: status %d, want %d", framing, answer.StatusCode, want)
		}
	}
}
