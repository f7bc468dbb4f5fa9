package fetch_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/internal/fetch"
)

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		status       int
		body         string // "error" for one
	}{
		{"a success", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", 200, "body"},
		{"of the largest size", "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n12345678", 200, "12345678"},
		{"larger", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", 0, "error"},
		{"without end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n", 0, "error"},
		{"cut off", "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n1234", 0, "error"},
		{"a large refusal", "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n123456789", 404, "12345678"},
		{"a refusal that is cut off", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 8\r\n\r\n1234", 401, "1234"},
		{"a redirect", "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", 302, ""},
		{"no HTTP", "SSH-2.0-OpenSSH\r\n", 0, "error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			target := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked++
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				if _, err := conn.Write([]byte(c.answer)); err != nil {
					t.Error(err)
				}
			})
			answer, err := fetch.New(fetch.Options{Timeout: time.Minute, MaxBody: 8}).Get(t.Context(), target, nil)
			if c.body == "error" {
				if err == nil {
					t.Errorf("it is taken for %+v", answer)
				}
				return
			}
			if err != nil || answer.Status != c.status || string(answer.Body) != c.body {
				t.Errorf("%+v, %v", answer, err)
			}
			if asked != 1 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

// TestErrorsTellNoURL: it may have a key in it.
func TestErrorsTellNoURL(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	for _, target := range []string{"http://" + listener.Addr().String() + "/?key=hunter2", "http://\x00hunter2/"} {
		_, err := fetch.New(fetch.Options{Timeout: time.Minute, MaxBody: 8}).Get(t.Context(), target, nil)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v", err)
		}
	}
}

// TestProxy: one that the environment names is used only where that is asked for.
func TestProxy(t *testing.T) {
	proxied := 0
	t.Setenv("HTTP_PROXY", serve(t, func(http.ResponseWriter, *http.Request) { proxied++ }))
	const target = "http://0.0.0.0:1/" // where nobody listens, and no loopback address, to which no proxy is used
	options := fetch.Options{Timeout: time.Minute, MaxBody: 8}
	if _, err := fetch.New(options).Get(t.Context(), target, nil); err == nil || proxied != 0 {
		t.Errorf("%v, through the proxy %d times", err, proxied)
	}
	options.Proxy = http.ProxyFromEnvironment
	if _, err := fetch.New(options).Get(t.Context(), target, nil); err != nil || proxied != 1 {
		t.Errorf("%v, through the proxy %d times", err, proxied)
	}
}

// TestHTTPClient: a library that reads all of an answer reads no more than the bound, and is
// led nowhere else.
func TestHTTPClient(t *testing.T) {
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "/8", http.StatusFound)
			return
		}
		size, _ := strconv.Atoi(r.URL.Path[1:])
		w.Write(bytes.Repeat([]byte("x"), size))
	})
	client := fetch.HTTPClient(fetch.Options{Timeout: 5 * time.Second, MaxBody: 8})
	for path, want := range map[string]struct {
		status, size int
		whole        bool
	}{"/0": {200, 0, true}, "/8": {200, 8, true}, "/9": {200, 8, false}, "/100000": {200, 8, false}, "/redirect": {302, 8, false}} {
		answer, err := client.Get(target + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != want.status || len(text) != want.size || (err == nil) != want.whole || err != nil && !errors.Is(err, fetch.ErrTooLarge) {
			t.Errorf("%s: %d, %d bytes, %v", path, answer.StatusCode, len(text), err)
		}
	}
}
