package gate

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/internal/handover"
)

const patience = 30 * time.Second

// inPlace is another reader in the place of a body: with one net/http does not linger.
type inPlace struct{ io.ReadCloser }

// serving is a server around a gate, as Caddy is one.
type serving struct {
	*httptest.Server
	tls bool
}

// serve starts one. next is what stands behind the gate.
func serve(t *testing.T, g *Gate, wrapped, secure bool, next handler) serving {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = inPlace{r.Body}
		if err := g.Serve(w, r.WithContext(r.Context()), next); err != nil {
			t.Error(err)
		}
	}))
	if wrapped {
		ln, err := handover.Wrap(s.Listener)
		if err != nil {
			t.Fatal(err)
		}
		s.Listener = ln
		s.Config.ConnState, s.Config.ConnContext = handover.ConnState, handover.ConnContext
	}
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return serving{s, secure}
}

func (s serving) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	if s.tls {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	return conn
}

// wantAnswer reads an answer and the end of the connection behind it.
func wantAnswer(t *testing.T, conn io.Reader, status int) {
	t.Helper()
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatalf("instead of %d: %v", status, err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		t.Fatalf("%d, %q, %v; want %d", response.StatusCode, body, err, status)
	}
	if _, err := reader.ReadByte(); err != io.EOF {
		t.Fatalf("behind the answer: %v", err)
	}
}

// TestRefusedClientsReadTheAnswer: whatever a client is still sending when it is refused,
// it reads the answer, though it reads only when all is sent.
func TestRefusedClientsReadTheAnswer(t *testing.T) {
	early := handler(func(w http.ResponseWriter, r *http.Request) error { // an upstream that has seen enough
		w.WriteHeader(http.StatusConflict)
		return nil
	})
	failing := handler(func(http.ResponseWriter, *http.Request) error { return errors.New("no upstream") })
	for _, where := range []struct {
		name         string
		wrapped, tls bool
		mostBody     int
	}{
		{"with the listener wrapper", true, false, 3 << 20},
		{"with the listener wrapper, over TLS", true, true, 2 << 20},
		{"without", false, false, 3 << 20},
		{"without, over TLS", false, true, 2 << 20},
	} {
		for _, request := range []struct {
			name, head string
			status     int
			next       handler
		}{
			{"dead token", "POST " + callbackPath + " HTTP/1.1\r\nX-Callback-Token: " + unknownToken + "\r\n", 401, nil},
			{"dead token, to be closed", "POST " + callbackPath + " HTTP/1.1\r\nConnection: close\r\nX-Callback-Token: " + unknownToken + "\r\n", 401, nil},
			{"dead token, HTTP/1.0", "POST " + callbackPath + " HTTP/1.0\r\nX-Callback-Token: " + unknownToken + "\r\n", 401, nil},
			{"no route", "POST /nowhere HTTP/1.1\r\n", 404, nil},
			{"ambiguous", "POST // HTTP/1.0\r\n", 400, nil},
			{"method", "PUT " + callbackPath + " HTTP/1.1\r\n", 405, nil},
			{"the upstream answers early", "POST " + callbackPath + " HTTP/1.1\r\nX-Callback-Token: " + callbackToken + "\r\n", 409, early},
			{"the upstream answers early, HTTP/1.0", "POST " + callbackPath + " HTTP/1.0\r\nX-Callback-Token: " + callbackToken + "\r\n", 409, early},
			{"the upstream fails", "POST " + callbackPath + " HTTP/1.1\r\nX-Callback-Token: " + callbackToken + "\r\n", 502, failing},
		} {
			t.Run(where.name+", "+request.name, func(t *testing.T) {
				t.Parallel()
				g, _ := testGate(t)
				g.Policy.MaxBody = 16 << 20
				s := serve(t, g, where.wrapped, where.tls, request.next)
				for _, size := range []int{1000, where.mostBody} {
					conn := s.dial(t)
					fmt.Fprintf(conn, "%sHost: x\r\nContent-Length: %d\r\n\r\n", request.head, size)
					piece := strings.Repeat("x", size/10)
					for range 10 {
						time.Sleep(3 * time.Millisecond) // a client on a slow line; nothing depends on it
						if _, err := io.WriteString(conn, piece); err != nil {
							t.Fatalf("while sending: %v", err)
						}
					}
					wantAnswer(t, conn, request.status)
				}
			})
		}
	}
}

// TestRefusalDoesNotWait: the answer and the end of it come while the client withholds the
// body, and what has arrived whole leaves the connection as it was.
func TestRefusalDoesNotWait(t *testing.T) {
	for _, version := range []string{"1.1", "1.0"} {
		for _, framing := range []string{"Content-Length: 10", "Content-Length: 900000", "Content-Length: 10\r\nExpect: 100-continue", "Transfer-Encoding: chunked"} {
			if version == "1.0" && strings.HasPrefix(framing, "Transfer") {
				continue
			}
			g, _ := testGate(t)
			conn := serve(t, g, true, false, nil).dial(t)
			fmt.Fprintf(conn, "POST %s HTTP/%s\r\nHost: x\r\n%s\r\n\r\n", callbackPath, version, framing)
			wantAnswer(t, conn, 401)
		}
	}
	g, _ := testGate(t)
	conn := serve(t, g, true, false, nil).dial(t)
	reader := bufio.NewReader(conn)
	for range 3 {
		body := strings.Repeat("x", 1000)
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %s\r\n\r\n%s", callbackPath, strconv.Itoa(len(body)), body)
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		if response.StatusCode != 401 || response.Close {
			t.Errorf("%d, closed %v", response.StatusCode, response.Close)
		}
	}
}
