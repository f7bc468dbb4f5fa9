package test

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
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
				conn, err := net.Dial("tcp", strings.TrimPrefix(g.Vendors, "http://"))
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
// for none, and the event be lost with a 200; or for the next request on the connection.
func TestUnframedBody(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, guard: []string{"callback /v1/exceptions/{exceptionId}/callback", "api /partners/*"}})
	c := g.operator(t, tenantA, "admin").mintCallback("")
	const secret = "of-the-partner"
	wantStatus(t, g.operator(t, tenantA, "admin").do(http.MethodPost, "/v1/credentials", fmt.Sprintf(
		`{"kind":"api","clientId":"partner","secretHash":"sha256:%x"}`, sha256.Sum256([]byte(secret)))), http.StatusCreated)
	token := "X-Callback-Token: " + c.token + "\r\n"
	basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("partner:"+secret)) + "\r\n"
	const chunks, keep = "Transfer-Encoding: chunked\r\n", "Connection: keep-alive\r\n"
	const later = "\x00" // what is behind it is written later
	smuggled := "POST " + callbackPath + " HTTP/1.1\r\nHost: x\r\n" + token + "Content-Length: 0\r\n\r\n"
	for _, test := range []struct {
		name, request string
		want, arrived int
	}{
		{"chunks", "POST " + callbackPath + " HTTP/1.0\r\n" + token + chunks + "\r\n2\r\n{}\r\n0\r\n\r\n", http.StatusBadRequest, 0},
		{"no body", "POST " + callbackPath + " HTTP/1.0\r\n" + token + "\r\n", http.StatusOK, 1},
		{"body without a length", "POST " + callbackPath + " HTTP/1.0\r\n" + token + "\r\n{}", http.StatusBadRequest, 0},
		{"body behind the head", "POST " + callbackPath + " HTTP/1.0\r\n" + token + "\r\n" + later + "{}", http.StatusBadRequest, 0},
		{"chunks behind the head", "POST " + callbackPath + " HTTP/1.0\r\n" + token + keep + chunks + "\r\n" + later + "2\r\n{}\r\n0\r\n\r\n", http.StatusBadRequest, 0},
		{"type without a length", "POST " + callbackPath + " HTTP/1.0\r\n" + token + "Content-Type: application/json\r\n\r\n", http.StatusBadRequest, 0},
		{"PUT with a type", "PUT /partners/7 HTTP/1.0\r\n" + basic + "Content-Type: text/plain\r\n\r\n", http.StatusBadRequest, 0},
		{"PATCH, body behind the head", "PATCH /partners/7 HTTP/1.0\r\n" + basic + "\r\n" + later + "{}", http.StatusBadRequest, 0},
		{"PUT without a body", "PUT /partners/7 HTTP/1.0\r\n" + basic + "\r\n", http.StatusOK, 1},
		{"GET with a type", "GET /partners/7 HTTP/1.0\r\n" + basic + "Content-Type: text/plain\r\n\r\n", http.StatusOK, 1},
		{"length", "POST " + callbackPath + " HTTP/1.0\r\n" + token + "Content-Length: 2\r\n\r\n{}", http.StatusOK, 1},
		{"length and more", "POST " + callbackPath + " HTTP/1.0\r\n" + token + keep + chunks + "Content-Length: 0\r\n\r\n" + smuggled, http.StatusOK, 1},
		{"refused, and more", "POST " + callbackPath + " HTTP/1.0\r\n" + keep + chunks + "Content-Length: 0\r\n\r\n" + smuggled, http.StatusUnauthorized, 0},
		{"PUT in chunks", "PUT /partners/7 HTTP/1.0\r\n" + basic + keep + chunks + "\r\n" + smuggled, http.StatusBadRequest, 0},
		{"PATCH in chunks", "PATCH /partners/7 HTTP/1.0\r\n" + basic + keep + chunks + "\r\n" + smuggled, http.StatusBadRequest, 0},
		{"DELETE", "DELETE /partners/7 HTTP/1.0\r\n" + basic + "\r\n", http.StatusOK, 1},
		{"DELETE in chunks", "DELETE /partners/7 HTTP/1.0\r\n" + basic + keep + chunks + "\r\n" + smuggled, http.StatusOK, 1},
		{"GET in chunks", "GET /partners/7 HTTP/1.0\r\n" + basic + keep + chunks + "\r\n" + smuggled, http.StatusOK, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(g.Vendors, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			now, behind, _ := strings.Cut(test.request, later)
			io.WriteString(conn, now)
			if behind != "" {
				time.Sleep(20 * time.Millisecond) // a client on a slow line
				io.WriteString(conn, behind)
			}
			reader := bufio.NewReader(conn)
			answer, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			if answer.StatusCode != test.want {
				t.Errorf("status %d, want %d", answer.StatusCode, test.want)
			}
			if another, err := http.ReadResponse(reader, nil); err == nil {
				t.Errorf("a second answer: %d", another.StatusCode)
			}
			if got := u.take(); len(got) != test.arrived {
				t.Errorf("at the upstream: %v", got)
			}
		})
	}
}
