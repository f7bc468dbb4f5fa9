package upstream

import (
	"bufio"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestNotSent: what failed before a byte of the request was sent says so, however it
// failed; what failed later never does.
func TestNotSent(t *testing.T) {
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(untrusted.Close)
	untrusted.Config.ErrorLog = nil
	closed := holding(t, "127.0.0.1:0")
	_ = closed.Close()
	closing := newPeer(t, func(_ int, _ net.Conn, r *bufio.Reader) { readRequest(r) })
	mute := newPeer(t, func(_ int, _ net.Conn, r *bufio.Reader) {
		readRequest(r)
		_, _ = r.ReadByte()
	})
	plain := newPeer(t, answerAll(okAnswer))
	for _, tc := range []struct {
		name, upstream string
		want           bool
	}{
		{"refused", closed.Addr().String(), true},
		{"connections swallowed", fmt.Sprintf("127.0.0.1:%d", swallowing(t, "127.0.0.1")), true},
		{"connections swallowed, TLS", fmt.Sprintf("https://127.0.0.1:%d", swallowing(t, "127.0.0.1")), true},
		{"connections swallowed, h2c", fmt.Sprintf("h2c://127.0.0.1:%d", swallowing(t, "127.0.0.1")), true},
		{"no handshake", "https://" + holding(t, "127.0.0.1:0").Addr().String(), true},
		{"certificate that is not trusted", untrusted.URL, true},
		{"TLS to what has none", "https://" + plain.Addr().String(), true},
		{"no socket", "unix/" + t.TempDir() + "/none", true},
		{"no such name", "nowhere.invalid:80", true},
		{"closed upon the request", closing.Addr().String(), false},
		{"no answer", mute.Addr().String(), false},
	} {
		for _, length := range []int{0, 7, maxSmall + 1} {
			t.Run(tc.name+" "+strconv.Itoa(length), func(t *testing.T) {
				t.Parallel()
				to, err := ParseAddress(tc.upstream)
				if err != nil {
					t.Fatal(err)
				}
				tr := New(to, Options{DialTimeout: 300 * time.Millisecond, ResponseHeaderTimeout: 300 * time.Millisecond})
				defer tr.Close()
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to.Scheme+"://"+to.Host, strings.NewReader(strings.Repeat("x", length)))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tr.RoundTrip(r); err == nil || NotSent(err) != tc.want {
					t.Errorf("not sent: %t, %v", NotSent(err), err)
				}
			})
		}
	}
}

// TestSentOnce: a request that an upstream hangs up on is not sent again, whatever it
// says of itself, on a connection on which one was answered before.
func TestSentOnce(t *testing.T) {
	type upstream struct {
		name  string
		start func(*testing.T, *httptest.Server) (url string)
	}
	for _, u := range []upstream{
		{"http", func(_ *testing.T, s *httptest.Server) string { s.Start(); return s.URL }},
		{"https", func(_ *testing.T, s *httptest.Server) string { s.StartTLS(); return s.URL }},
		{"https with HTTP/2", func(_ *testing.T, s *httptest.Server) string { s.EnableHTTP2 = true; s.StartTLS(); return s.URL }},
		{"h2c", func(_ *testing.T, s *httptest.Server) string {
			s.Config.Protocols = new(http.Protocols)
			s.Config.Protocols.SetUnencryptedHTTP2(true)
			s.Start()
			return strings.Replace(s.URL, "http", "h2c", 1)
		}},
		{"unix", func(t *testing.T, s *httptest.Server) string {
			path := t.TempDir() + "/s"
			listener, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			_ = s.Listener.Close()
			s.Listener = listener
			s.Start()
			return "unix/" + path
		}},
	} {
		for name, change := range map[string]func(*http.Request){
			"POST":                        func(*http.Request) {},
			"POST with Idempotency-Key":   func(r *http.Request) { r.Header.Set("Idempotency-Key", "k") },
			"POST with X-Idempotency-Key": func(r *http.Request) { r.Header.Set("X-Idempotency-Key", "k") },
			"PUT with X-Idempotency-Key":  func(r *http.Request) { r.Method = http.MethodPut; r.Header.Set("X-Idempotency-Key", "k") },
			"DELETE":                      func(r *http.Request) { r.Method = http.MethodDelete },
			"GET":                         func(r *http.Request) { r.Method = http.MethodGet },
			"event": func(r *http.Request) {
				r.Header.Set("X-Idempotency-Key", "k")
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader("event")), 5
			},
		} {
			t.Run(u.name+" "+name, func(t *testing.T) {
				got := make(chan *http.Request, 10)
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					got <- r
					if r.URL.Path == "/hang-up" {
						panic(http.ErrAbortHandler)
					}
				}))
				url := u.start(t, server)
				t.Cleanup(server.Close)
				to, err := ParseAddress(url)
				if err != nil {
					t.Fatal(err)
				}
				options := Options{DialTimeout: 10 * time.Second, ResponseHeaderTimeout: 10 * time.Second}
				if to.Scheme == "https" {
					options.RootCAs = trusted(server)
				}
				tr := New(to, options)
				t.Cleanup(tr.Close)
				request := func(path string) *http.Request {
					r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to.Scheme+"://"+to.Host+path, nil)
					if err != nil {
						t.Fatal(err)
					}
					change(r)
					return r
				}
				do(t, tr, request("/"))
				_, err = tr.RoundTrip(request("/hang-up"))
				if err == nil || NotSent(err) {
					t.Errorf("%v", err)
				}
				server.Close()
				close(got)
				var sent []string
				for r := range got {
					sent = append(sent, r.URL.Path)
					want := request("/")
					if r.ContentLength > 0 != (want.Body != nil) || len(r.TransferEncoding) > 0 ||
						r.Header.Get("X-Idempotency-Key") != want.Header.Get("X-Idempotency-Key") ||
						r.Header.Get("Idempotency-Key") != want.Header.Get("Idempotency-Key") {
						t.Errorf("%d %v %v", r.ContentLength, r.TransferEncoding, r.Header)
					}
				}
				if strings.Join(sent, " ") != "/ /hang-up" {
					t.Errorf("sent %v", sent)
				}
			})
		}
	}
}

// trusted returns the authority of a test server.
func trusted(server *httptest.Server) *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return roots
}
