package upstream

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// atNames returns a transport to a name that has these addresses.
func atNames(t *testing.T, url string, options Options, addresses ...string) *Transport {
	t.Helper()
	to, err := ParseAddress(url)
	if err != nil {
		t.Fatal(err)
	}
	tr := New(to, options)
	t.Cleanup(tr.Close)
	tr.dialler.lookup = func(context.Context, string, string) (found []netip.Addr, err error) {
		for _, ip := range addresses {
			found = append(found, netip.MustParseAddr(ip))
		}
		return found, nil
	}
	return tr
}

// TestSecondAddress: a request reaches the address of a name that serves, whatever the
// one before it does, within the time of a single dial.
func TestSecondAddress(t *testing.T) {
	const dead, live = "127.0.0.1", "127.0.0.2"
	for _, tc := range []struct {
		name, scheme string
		// deaden makes the first address what it is, and returns its port.
		deaden func(*testing.T) int
	}{
		{"swallows connections", "http", func(t *testing.T) int { return swallowing(t, dead) }},
		{"swallows connections", "https", func(t *testing.T) int { return swallowing(t, dead) }},
		{"says nothing", "https", func(t *testing.T) int { return portOf(holding(t, dead+":0")) }},
		{"refuses", "http", func(t *testing.T) int {
			l := holding(t, dead+":0")
			_ = l.Close()
			return portOf(l)
		}},
	} {
		t.Run(tc.name+" "+tc.scheme, func(t *testing.T) {
			port := tc.deaden(t)
			listener, err := net.Listen("tcp", net.JoinHostPort(live, strconv.Itoa(port)))
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			_ = server.Listener.Close()
			server.Listener = listener
			options := Options{DialTimeout: 10 * time.Second, ResponseHeaderTimeout: 20 * time.Second}
			if tc.scheme == "https" {
				server.StartTLS()
				options.RootCAs = trusted(server)
			} else {
				server.Start()
			}
			t.Cleanup(server.Close)
			// The name is one that the certificate of the test server is for.
			url := tc.scheme + "://example.com:" + strconv.Itoa(port)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("event"))
			if err != nil {
				t.Fatal(err)
			}
			do(t, atNames(t, url, options, dead, live), r)
		})
	}
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }
