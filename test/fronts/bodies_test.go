package fronts

import (
	"cmp"
	"strings"
	"testing"
)

const mib = 1 << 20

// bodies: whatever their size and framing, they arrive as they are.
func (s setup) bodies(t *testing.T) {
	for _, test := range []struct {
		name   string
		framed framing
		body   string
	}{
		{"empty", byLength, ""},
		{"without length", unframed, ""},
		{"without length and type", bare, ""},
		{"chunked", chunked, strings.Repeat("\x00\r\n0\r\n\r\n{}", 6000)},
		{"chunked, empty", chunked, ""},
		{"chunked, 2 MiB", chunked, text(2 * mib)},
		{"2 MiB", byLength, text(2 * mib)},
		{"after 100 Continue", expected, text(1 << 16)},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := s.callbackRequest()
			r.framed, r.body = test.framed, test.body
			a := s.proxy.send(r)
			refused := 0
			switch r.framed {
			case bare:
				refused = s.noLength
			case unframed:
				refused = cmp.Or(s.noLength, s.typed)
			}
			if refused != 0 {
				if a.status != refused {
					t.Errorf("%s, want %d", a, refused)
				}
				return
			}
			wantTaken(t, a)
			if got := s.gate.upstream.one(t); got.body != r.body {
				t.Errorf("%d bytes at the upstream, %d sent", len(got.body), len(r.body))
			}
		})
	}
}

// upgrade: what Java's HttpClient offers over http is ignored.
func (s setup) upgrade(t *testing.T) {
	r := s.callbackRequest()
	r.fields = append(r.fields, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA")
	wantTaken(t, s.proxy.send(r))
	got := s.gate.upstream.one(t)
	for _, name := range []string{"Upgrade", "Http2-Settings"} {
		if got.header[name] != nil {
			t.Errorf("%s is at the upstream", name)
		}
	}
	if got.body != r.body {
		t.Errorf("%q at the upstream", got.body)
	}
}
