package fronts

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// upstream stands in for Matcher: it records what reaches it, and answers 200.
type upstream struct {
	addr string

	mu  sync.Mutex
	got []received
}

// received is a request as the upstream saw it.
type received struct {
	method, target, host, body string
	header                     http.Header
}

func newUpstream(t *testing.T) *upstream {
	u := &upstream{}
	server := httptest.NewServer(u)
	t.Cleanup(server.Close)
	u.addr = strings.TrimPrefix(server.URL, "http://")
	return u
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		// It has not arrived: that a chunked body is too large is seen when a part of
		// it is here.
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.got = append(u.got, received{r.Method, r.RequestURI, r.Host, string(body), r.Header.Clone()})
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"taken":true}`)
}

// take returns what has arrived since the last call.
func (u *upstream) take() []received {
	u.mu.Lock()
	defer u.mu.Unlock()
	got := u.got
	u.got = nil
	return got
}

// one returns the only request that has arrived since the last call.
func (u *upstream) one(t testing.TB) received {
	t.Helper()
	got := u.take()
	if len(got) != 1 {
		t.Fatalf("%d requests reached the upstream, want 1", len(got))
	}
	return got[0]
}

// none checks that nothing has arrived since the last call.
func (u *upstream) none(t testing.TB) {
	t.Helper()
	for _, r := range u.take() {
		t.Errorf("reached the upstream: %s", r)
	}
}

func (r received) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s\nHost: %s\n", r.method, r.target, r.host)
	r.header.Write(&text)
	return text.String()
}
