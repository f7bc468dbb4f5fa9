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
		if r.URL.Path == "/later" {
			close(arrived)
			for { // until the byte is there
				if follows, known := Follows(w, time.Millisecond); follows || !known {
					answers <- answer{follows, known}
					return
				}
			}
		}
		follows, known := Follows(w, wait)
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
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, "POST "+tc.path+" HTTP/1.0\r\nHost: x\r\n\r\n"+tc.body)
		if tc.path == "/later" {
			<-arrived
			io.WriteString(conn, "x")
		}
		if got := <-answers; got != tc.want {
			t.Errorf("%s %q: %+v", tc.path, tc.body, got)
		}
		conn.Close()
	}
	if _, known := Follows(httptest.NewRecorder(), 0); known {
		t.Error("a recorder has a connection")
	}
}
