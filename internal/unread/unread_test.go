package unread

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestFollows says so when net/http keeps what it has read elsewhere.
func TestFollows(t *testing.T) {
	type answer struct{ follows, known bool }
	answers, arrived := make(chan answer), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wait := time.Duration(0)
		if r.URL.Path != "/" { // there is no end to the waiting but what the client does
			wait = time.Hour
			arrived <- struct{}{}
		}
		follows, known := Follows(r.Context(), w, wait)
		answers <- answer{follows, known}
	}))
	defer server.Close()
	for _, tc := range []struct {
		path, body string
		want       answer
	}{
		{"/", "", answer{false, true}},
		{"/", "x", answer{true, true}},
		{"/", "5\r\nhello\r\n0\r\n\r\n", answer{true, true}},
		{"/later", "", answer{true, true}},
		{"/shut", "", answer{false, true}},
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, "POST "+tc.path+" HTTP/1.0\r\nHost: x\r\n\r\n"+tc.body)
		switch tc.path {
		case "/later":
			<-arrived
			io.WriteString(conn, "x")
		case "/shut":
			<-arrived
			conn.(*net.TCPConn).CloseWrite()
		}
		if got := <-answers; got != tc.want {
			t.Errorf("%s %q: %+v", tc.path, tc.body, got)
		}
		conn.Close()
	}
	if _, known := Follows(t.Context(), httptest.NewRecorder(), 0); known {
		t.Error("a recorder has a connection")
	}
}
