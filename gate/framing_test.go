package gate

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/guard"
)

// TestFraming: a body that nobody can tell the end of is refused, and one that broke off
// can be sent again.
func TestFraming(t *testing.T) {
	const head10 = "POST " + callbackPath + " HTTP/1.0\r\nX-Callback-Token: " + callbackToken + "\r\n"
	const head = "POST " + callbackPath + " HTTP/1.1\r\nHost: x\r\nX-Callback-Token: " + callbackToken + "\r\n"
	const chunked = head + "Transfer-Encoding: chunked\r\n\r\n"
	for _, hold := range []bool{false, true} {
		for _, tc := range []struct {
			name, sent string
			status     int
		}{
			{"HTTP/1.0 without a body", head10 + "\r\n", 200},
			{"HTTP/1.0 with a body and no length", head10 + "\r\nhello", 400},
			{"HTTP/1.0 with chunks", head10 + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 400},
			{"HTTP/1.0 with a type and no length", head10 + "Content-Type: application/json\r\n\r\n", 400},
			{"HTTP/1.0 with a length", head10 + "Content-Length: 5\r\n\r\nhello", 200},
			{"chunks", chunked + "5\r\nhello\r\n0\r\n\r\n", 200},
			{"a length that is no number", chunked + "5\r\nhello\r\nzz\r\n", 400},
			{"an empty length", chunked + "\r\nhello\r\n", 400},
			{"a huge length", chunked + "11111111111111111\r\nhello\r\n", 400},
			{"a negative length", chunked + "-5\r\nhello\r\n", 400},
			{"no end of line behind a chunk", chunked + "5\r\nhelloworld\r\n0\r\n\r\n", 400},
			{"a chunk that is cut off", chunked + "5\r\nhel", 408},
			{"chunks without the last", chunked + "5\r\nhello\r\n", 408},
			{"a body that is cut off", head + "Content-Length: 10\r\n\r\nhello", 408},
		} {
			g, _ := testGate(t)
			g.Policy.KeyFromBody = hold
			var got string
			s := serve(t, g, true, false, func(w http.ResponseWriter, r *http.Request) error {
				body, err := io.ReadAll(r.Body)
				got = string(body)
				if err == nil {
					w.WriteHeader(http.StatusOK)
				}
				return err
			})
			conn := s.dial(t)
			io.WriteString(conn, tc.sent)
			conn.(interface{ CloseWrite() error }).CloseWrite()
			answer, err := io.ReadAll(conn)
			if err != nil {
				t.Fatal(err)
			}
			if line, _, _ := strings.Cut(string(answer), "\r\n"); !strings.Contains(line, " "+http.StatusText(tc.status)) {
				t.Errorf("%s, held %v: %q, want %d", tc.name, hold, line, tc.status)
			}
			if tc.status == 200 && got != "hello" && !strings.Contains(tc.name, "without a body") {
				t.Errorf("%s: the upstream got %q", tc.name, got)
			}
			if outcomes := g.Server.(*server).outcomes; tc.status == 400 && outcomes[len(outcomes)-1] != guard.Ambiguous {
				t.Errorf("%s: counted as %s", tc.name, outcomes)
			}
		}
	}
}

// TestBodyBehindTheHead: a body without a length that comes once the head is being judged is
// none the less seen, and no event lost with a 200.
func TestBodyBehindTheHead(t *testing.T) {
	for _, behind := range []string{"hello", "5\r\nhello\r\n0\r\n\r\n"} {
		g, _ := testGate(t)
		sending := &sendingServer{server: new(server)}
		g.Server = sending
		s := serve(t, g, true, false, func(w http.ResponseWriter, r *http.Request) error {
			t.Error("it was handed over")
			return nil
		})
		conn := s.dial(t)
		sending.send = func() { io.WriteString(conn, behind) }
		io.WriteString(conn, "POST "+callbackPath+" HTTP/1.0\r\nX-Callback-Token: "+callbackToken+"\r\n\r\n")
		wantAnswer(t, conn, 400)
		if got := sending.outcomes; len(got) != 1 || got[0] != guard.Ambiguous {
			t.Errorf("counted as %s", got)
		}
	}
}

// sendingServer has the client go on sending when its request is about to be decided on.
type sendingServer struct {
	*server
	send func()
}

func (s *sendingServer) Peer(r *http.Request) guard.Peer {
	s.send()
	return s.server.Peer(r)
}

// TestCredentialThatEndsWhileTheBodyArrives is refused as if it had ended before.
func TestCredentialThatEndsWhileTheBodyArrives(t *testing.T) {
	for _, hold := range []bool{false, true} {
		g, _ := testGate(t)
		g.Policy.KeyFromBody = hold
		known := g.Keyring.(*ring)
		s := serve(t, g, true, false, func(w http.ResponseWriter, r *http.Request) error {
			if hold {
				t.Error("it was handed over")
			}
			_, err := io.Copy(io.Discard, r.Body)
			if err == nil {
				t.Error("the body came to its end")
			}
			return err
		})
		known.revokeAt = 2
		conn := s.dial(t)
		io.WriteString(conn, "POST "+callbackPath+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Callback-Token: "+callbackToken+"\r\nContent-Length: 5\r\n\r\nhello")
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 401 ") {
			t.Errorf("held %v: %q, %v", hold, answer, err)
		}
		if outcomes := g.Server.(*server).outcomes; outcomes[len(outcomes)-1] != guard.Revoked {
			t.Errorf("held %v: counted as %s", hold, outcomes)
		}
	}
}
