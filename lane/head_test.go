package lane

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const callback = "POST /v1/exceptions/7f1d/callback?a=b%20c HTTP/1.1\r\nHost: hooks.example.com\r\nx-callback-token: mcb_x\r\nContent-Length: 2\r\n\r\n"

// TestReadHead: what is plain, and what is one step beside it.
func TestReadHead(t *testing.T) {
	with := func(old, new string) string { return strings.Replace(callback, old, new, 1) }
	for _, tc := range []struct {
		name, head string
		want       verdict
	}{
		{"a callback", callback, plain},
		{"with its body", callback + "{}", plain},
		{"a probe", "GET /v1/discovery/webhooks/belvo/mwh_x HTTP/1.1\r\nHost: x\r\n\r\n", plain},
		{"kept", with("Content", "Connection: Keep-Alive\r\nContent"), plain},
		{"closed", with("Content", "Connection: close\r\nContent"), plain},
		{"nothing", "", partial},
		{"half a method", "PO", partial},
		{"half a line", "POST /v1/exc", partial},
		{"half a header", callback[:60], partial},
		{"a handshake", "\x16\x03\x01", declined},
		{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", declined},
		{"HTTP/1.0", with("1.1", "1.0"), declined},
		{"a bare line feed", with("\r\nHost", "\nHost"), declined},
		{"two spaces", with("POST ", "POST  "), declined},
		{"an absolute target", with("/v1", "http://x/v1"), declined},
		{"an escape in the path", with("/v1", "/%761"), declined},
		{"a fragment", with("?a", "#a"), declined},
		{"another method", with("POST", "OPTIONS"), declined},
		{"no Host", with("Host", "X-Host"), declined},
		{"a Host of dots", with("hooks.example.com", "."), declined},
		{"a Host of dots with a port", with("hooks.example.com", "..:80"), declined},
		{"an address in brackets", with("hooks.example.com", "[::1]:80"), declined},
		{"two of them", with("Content", "Host: y\r\nContent"), declined},
		{"a name with an underscore", with("x-callback-token", "x_callback_token"), declined},
		{"a space before the colon", with("token:", "token :"), declined},
		{"no space behind it", with("token: ", "token:"), declined},
		{"two spaces behind it", with("token: ", "token:  "), declined},
		{"a folded line", with("mcb_x", "mcb\r\n _x"), declined},
		{"a header twice", with("Content", "X-Callback-Token: mcb_y\r\nContent"), declined},
		{"an empty value", with("mcb_x", ""), declined},
		{"a byte over ASCII", with("mcb_x", "mcb_\xe9"), declined},
		{"a tab", with("mcb_x", "mcb\tx"), declined},
		{"a length with a sign", with(": 2\r\n\r\n", ": +2\r\n\r\n"), declined},
		{"a length with a zero", with(": 2\r\n\r\n", ": 02\r\n\r\n"), declined},
		{"two lengths", with("Content", "Content-Length: 2\r\nContent"), declined},
		{"a long body", with(": 2\r\n\r\n", ": 32769\r\n\r\n"), declined},
		{"chunks", with("Content-Length: 2", "Transfer-Encoding: chunked"), declined},
		{"a question", with("Content", "Expect: 100-continue\r\nContent"), declined},
		{"an upgrade", with("Content", "Upgrade: h2c\r\nContent"), declined},
		{"an option of the connection", with("Content", "Connection: close, x-callback-token\r\nContent"), declined},
		{"a GET with a body", with("POST", "GET"), declined},
		{"too long", with("mcb_x", strings.Repeat("x", MaxHead)), declined},
		{"too long and not whole", "POST /" + strings.Repeat("x", MaxHead), declined},
	} {
		if got := new(head).read([]byte(tc.head)); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}

// FuzzReadHead: net/http reads every plain head in the same way, and a head does not turn
// plain, or another one, by what comes later.
func FuzzReadHead(f *testing.F) {
	f.Add([]byte(callback+"{}"), 10)
	f.Add([]byte("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), 3)
	f.Add([]byte("PUT /a/../b?x HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 0\r\n\r\nPOST"), 60)
	f.Fuzz(func(t *testing.T, sent []byte, split int) {
		var h head
		got := h.read(sent)
		if split > 0 && split < len(sent) {
			if early := new(head).read(sent[:split]); early == declined && got == plain {
				t.Fatal("declined too early")
			}
		}
		if got != plain {
			return
		}
		source := bytes.NewReader(sent)
		reader := bufio.NewReaderSize(source, 16)
		want, err := http.ReadRequest(reader)
		if err != nil {
			t.Fatalf("net/http does not read it: %v", err)
		}
		r := h.HTTP()
		if r.Method != want.Method || r.RequestURI != want.RequestURI || r.Host != want.Host || r.Close != want.Close ||
			r.ContentLength != want.ContentLength || *r.URL != *want.URL || r.Proto != want.Proto {
			t.Fatalf("%+v, want %+v", r, want)
		}
		if !maps.EqualFunc(r.Header, want.Header, slices.Equal[[]string]) {
			t.Fatalf("%q, want %q", r.Header, want.Header)
		}
		rest, _ := io.ReadAll(io.MultiReader(reader, source))
		if len(want.TransferEncoding) > 0 || want.Body == nil {
			t.Fatal("another framing")
		}
		if string(rest) != string(sent[h.size:]) {
			t.Fatalf("it ends at %d, not at %d", len(sent)-len(rest), h.size)
		}
	})
}
