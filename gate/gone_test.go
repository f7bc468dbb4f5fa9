package gate

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestHalfClosedClient: one that shuts its writing side behind its request, upon which the
// server takes it for gone, gets the answer of the upstream, which is let go on.
func TestHalfClosedClient(t *testing.T) {
	g, _ := testGate(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client := r.Context()
		err := g.Serve(w, r, handler(func(w http.ResponseWriter, r *http.Request) error {
			_, _ = io.Copy(io.Discard, r.Body)
			<-client.Done()
			if err := r.Context().Err(); err != nil {
				return err
			}
			w.WriteHeader(http.StatusAccepted)
			return nil
		}))
		if err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "POST "+callbackPath+" HTTP/1.1\r\nHost: x\r\nX-Callback-Token: "+callbackToken+"\r\nContent-Length: 5\r\n\r\nhello")
	_ = conn.(*net.TCPConn).CloseWrite()
	if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 202 ") {
		t.Errorf("%q, %v", answer, err)
	}
}
