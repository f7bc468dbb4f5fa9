package upstream

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// TestSameOnTheWire: what goes the direct way says the same as what the standard
// library's transport sends.
func TestSameOnTheWire(t *testing.T) {
	type received struct {
		line, host string
		header     http.Header
		length     int64
		encoding   []string
		body       string
	}
	got := make(chan received, 1)
	p := newPeer(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for {
			request, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(request.Body)
			got <- received{
				request.Method + " " + request.RequestURI + " " + request.Proto, request.Host, request.Header,
				request.ContentLength, request.TransferEncoding, string(body),
			}
			if !reply(c, okAnswer) {
				return
			}
		}
	})
	for name, change := range map[string]func(*http.Request){
		"plain":           func(*http.Request) {},
		"no body":         func(r *http.Request) { r.Body, r.ContentLength = nil, 0 },
		"empty body":      func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 0 },
		"GET":             func(r *http.Request) { r.Method, r.Body, r.ContentLength = http.MethodGet, nil, 0 },
		"DELETE":          func(r *http.Request) { r.Method, r.Body, r.ContentLength = http.MethodDelete, nil, 0 },
		"host":            func(r *http.Request) { r.Host = "hooks.example.com" },
		"no user agent":   func(r *http.Request) { r.Header["User-Agent"] = []string{""} },
		"user agent":      func(r *http.Request) { r.Header.Set("User-Agent", "Pluggy/1.0") },
		"repeated header": func(r *http.Request) { r.Header["Accept"] = []string{"a", "b"} },
		"odd header":      func(r *http.Request) { r.Header["x-lower-case"] = []string{" a\tb "} },
		"query":           func(r *http.Request) { r.URL.RawQuery = "a=b;c&&d=%zz" },
		"escaped path":    func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/a b", "/a%20b" },
		"large":           func(r *http.Request) { r.Body, r.ContentLength = body(maxSmall), maxSmall },
	} {
		t.Run(name, func(t *testing.T) {
			var ways [2]received
			for i, direct := range []bool{true, false} {
				tr := p.transport(t)
				tr.direct = direct
				r := p.post(t, `{"event":1}`)
				r.Header.Set("Content-Type", "application/json")
				change(r)
				r.GetBody = nil
				if !small(r) {
					t.Fatal("does not go the direct way")
				}
				do(t, tr, r)
				ways[i] = <-got
			}
			if !reflect.DeepEqual(ways[0], ways[1]) {
				t.Errorf("directly  %+v\notherwise %+v", ways[0], ways[1])
			}
		})
	}
}

func body(length int) io.ReadCloser {
	return io.NopCloser(strings.NewReader(strings.Repeat("x", length)))
}

// TestOnlySmallGoDirectly: what has to be sent while it arrives is the standard library's.
func TestOnlySmallGoDirectly(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"large":          func(r *http.Request) { r.ContentLength = maxSmall + 1 },
		"unknown length": func(r *http.Request) { r.ContentLength = -1 },
		"chunked":        func(r *http.Request) { r.TransferEncoding = []string{"chunked"} },
		"trailers":       func(r *http.Request) { r.Trailer = http.Header{"X-Sum": nil} },
		"upgrade":        func(r *http.Request) { r.Header.Set("Upgrade", "websocket") },
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://matcher/", strings.NewReader("event"))
		if err != nil {
			t.Fatal(err)
		}
		if change(r); small(r) {
			t.Errorf("%s goes the direct way", name)
		}
	}
}

// TestExpect: the upstream is not asked whether it wants the body, and so nobody waits
// for it to say so.
func TestExpect(t *testing.T) {
	got := make(chan http.Header, 1)
	p := newPeer(t, func(_ int, c net.Conn, r *bufio.Reader) {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		got <- request.Header
		_, _ = io.Copy(io.Discard, request.Body)
		reply(c, okAnswer)
	})
	for _, length := range []int64{7, maxSmall + 1} {
		tr := p.transport(t)
		r := p.post(t, "")
		r.Body, r.ContentLength = body(int(length)), length
		r.Header.Set("Expect", "100-continue")
		do(t, tr, r)
		if header := <-got; len(header["Expect"]) > 0 {
			t.Errorf("%d bytes: %v", length, header)
		}
		if r.Header.Get("Expect") == "" {
			t.Error("the caller's request was changed")
		}
	}
}
