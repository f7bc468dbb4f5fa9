package fronts

import (
	"net/http"
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
		{"chunked", chunked, strings.Repeat("\x00\r\n0\r\n\r\n{}", 6000)},
		{"chunked, empty", chunked, ""},
		{"chunked, 2 MiB", chunked, strings.Repeat("0123456789abcdef", 2*mib/16)},
		{"2 MiB", byLength, strings.Repeat("0123456789abcdef", 2*mib/16)},
		{"after 100 Continue", expected, strings.Repeat("0123456789abcdef", 4096)},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := s.callbackRequest()
			r.framed, r.body = test.framed, test.body
			a := s.proxy.send(r)
			if r.framed == unframed && s.noLength != 0 {
				if a.status != s.noLength {
					t.Errorf("%s, want %d", a, s.noLength)
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

// refusals: the client reads Hookgate's status and code, also while it is still sending.
func (s setup) refusals(t *testing.T) {
	small, large := "{}", strings.Repeat("0123456789abcdef", 2*mib/16)
	dead := []string{"X-Callback-Token: not-a-live-token"}
	live := []string{"X-Callback-Token: " + s.gate.callback.token}
	target := s.gate.callback.path
	for _, test := range []struct {
		name   string
		r      request
		status int
		code   string
	}{
		{"400", request{target: target, fields: append(live, "X-Callback-Token: another")}, 400, "HKG-1400"},
		{"401", request{target: target, fields: dead, from: "127.0.0.101"}, 401, "HKG-1401"},
		{"403", request{target: s.gate.listed.path, from: elsewhere}, 403, "HKG-1403"},
		{"404", request{target: "/v1/none/" + s.gate.callback.token, fields: live}, 404, "HKG-1404"},
		{"405", request{target: target, fields: live, method: http.MethodPut}, 405, "HKG-1405"},
		{"429", request{target: target, fields: dead, from: "127.0.0.102"}, 429, "HKG-1429"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.status == 429 { // after the first five
				for range 5 {
					r := test.r
					r.body = small
					wantProblem(t, s.proxy.send(r), 401, "HKG-1401")
				}
			}
			for name, body := range map[string]string{"small": small, "large": large} {
				for _, framed := range []framing{byLength, chunked} {
					r := test.r
					r.body, r.framed = body, framed
					if test.status == 401 {
						r.from = map[framing]string{byLength: "127.0.0.103", chunked: "127.0.0.104"}[framed]
					}
					for range 2 {
						a := s.proxy.send(r)
						if wantProblem(t, a, test.status, test.code); t.Failed() {
							t.Errorf("body %s, chunked %v", name, framed == chunked)
							break
						}
					}
				}
			}
		})
	}
	t.Run("413", func(t *testing.T) {
		for _, framed := range []framing{byLength, chunked} {
			r := request{target: target, fields: live, body: strings.Repeat("0123456789abcdef", 4*mib/16), framed: framed}
			wantProblem(t, s.proxy.send(r), 413, "HKG-1413")
		}
	})
	s.gate.upstream.none(t)
}
