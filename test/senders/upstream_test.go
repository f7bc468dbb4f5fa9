package senders

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// caseHeader names the request among those of all senders.
const caseHeader = "X-Case"

// upstream stands in for Matcher: it records what reaches it, and answers with the
// digest of the body.
type upstream struct {
	addr string

	mu       sync.Mutex
	arrivals map[string][]arrival // by case
}

// arrival is a request as the upstream saw it.
type arrival struct {
	method, target string
	header         http.Header
	body           string
	err            error // of reading the body
}

// whole reports whether all of the body came. What is refused after it began to go
// upstream is broken off there.
func (a arrival) whole() bool { return a.err == nil }

func newUpstream(t *testing.T) *upstream {
	u := &upstream{arrivals: make(map[string][]arrival)}
	server := httptest.NewServer(u)
	t.Cleanup(server.Close)
	u.addr = strings.TrimPrefix(server.URL, "http://")
	return u
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	name := r.Header.Get(caseHeader)
	u.mu.Lock()
	u.arrivals[name] = append(u.arrivals[name], arrival{r.Method, r.RequestURI, r.Header, string(body), err})
	u.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"received":%q}`, digest(string(body)))
}

// of returns what has arrived of a request.
func (u *upstream) of(name string) []arrival {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.arrivals[name]
}

func digest(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}
