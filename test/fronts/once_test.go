package fronts

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// breaking stands in Hookgate's place: it takes requests in full, and ends the connection
// of those that say so without an answer, as a process does that is killed.
type breaking struct {
	mu    sync.Mutex
	taken map[string]int // by X-Delivery
}

func (b *breaking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	b.mu.Lock()
	b.taken[r.Header.Get("X-Delivery")]++
	b.mu.Unlock()
	if r.Header.Get("X-Break") == "" {
		w.Header().Set("Content-Length", "0")
		return
	}
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

func (b *breaking) times(delivery string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.taken[delivery]
}

// TestSentOnce: what a proxy has sent, and got no answer to, it does not send again, over a new
// connection or one that was used before.
func TestSentOnce(t *testing.T) {
	for _, f := range fronts {
		if f.wraps != "" {
			continue // the same program as without the PROXY protocol
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			g := newGate(t, f)
			b := &breaking{taken: make(map[string]int)}
			for _, port := range []int{g.ports.Vendors, g.ports.Status} {
				listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
				if err != nil {
					t.Fatal(err)
				}
				server := &http.Server{Handler: b}
				go server.Serve(listener)
				t.Cleanup(func() { server.Close() })
			}
			p := startProxy(t, f, g)
			plain := request{target: "/v1/exceptions/e/callback", body: "{}"}
			hookgatetest.Eventually(t, f.name+" passes requests on", func() bool { return p.send(plain).status == http.StatusOK })
			for i, test := range []struct {
				name string
				body string
				key  string
			}{
				{"with a body", `{"a":1}`, ""},
				{"without a body", "", ""},
				{"with a key", `{"a":1}`, "Idempotency-Key: k"},
				{"with a key, without a body", "", "X-Idempotency-Key: k"},
				{"large", text(mib), ""},
			} {
				for _, after := range []string{"a request", "a break"} {
					if after == "a request" {
						p.send(plain)
					}
					r := plain
					delivery := fmt.Sprintf("%d after %s", i, after)
					r.fields = []string{"X-Delivery: " + delivery, "X-Break: yes"}
					if test.key != "" {
						r.fields = append(r.fields, test.key)
					}
					r.body = test.body
					if a := p.send(r); a.err == nil && a.status < 500 {
						t.Errorf("%s, after %s: %s", test.name, after, a)
					}
					want := 1
					if after == "a request" && slices.Contains(f.resends, test.name) {
						want = 2
					}
					if n := b.times(delivery); n != want {
						t.Errorf("%s, after %s: sent %d times, want %d", test.name, after, n, want)
					}
				}
			}
		})
	}
}
