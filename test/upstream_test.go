package test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// upstream stands in for Matcher: it records what reaches it, and answers as told.
type upstream struct {
	addr string

	mu     sync.Mutex
	got    []received
	answer http.HandlerFunc
}

// received is a request as the upstream saw it.
type received struct {
	method, target string
	header         http.Header
	trailer        http.Header
	chunked        bool
	body           string
	broken         bool // the body ended early
}

func newUpstream(t testing.TB) *upstream {
	u := &upstream{}
	server := httptest.NewServer(u)
	t.Cleanup(server.Close)
	u.addr = strings.TrimPrefix(server.URL, "http://")
	return u
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	u.mu.Lock()
	u.got = append(u.got, received{
		method: r.Method, target: r.RequestURI, header: r.Header.Clone(), trailer: r.Trailer,
		chunked: len(r.TransferEncoding) > 0, body: string(body), broken: err != nil,
	})
	answer := u.answer
	u.mu.Unlock()
	if answer != nil {
		answer(w, r)
	}
}

// answerWith sets what the upstream answers from now on, 200 by default.
func (u *upstream) answerWith(answer http.HandlerFunc) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answer = answer
}

// take returns what has arrived since the last call.
func (u *upstream) take() []received {
	u.mu.Lock()
	defer u.mu.Unlock()
	got := u.got
	u.got = nil
	return got
}

// peek returns what has arrived, and leaves it.
func (u *upstream) peek() []received {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.got)
}

// one returns the only request that has arrived since the last call.
func (u *upstream) one(t testing.TB) received {
	t.Helper()
	got := u.take()
	if len(got) != 1 {
		t.Fatalf("%d requests reached the upstream, want 1: %v", len(got), got)
	}
	return got[0]
}

// wantNothing checks that nothing has arrived since the last call.
func (u *upstream) wantNothing(t testing.TB) {
	t.Helper()
	if got := u.take(); len(got) > 0 {
		t.Fatalf("reached the upstream: %v", got)
	}
}

// String returns everything of the request, to search for what must not be in it.
func (r received) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s\n", r.method, r.target)
	r.header.Write(&text)
	fmt.Fprintf(&text, "%v\n%s", r.trailer, r.body)
	return text.String()
}
