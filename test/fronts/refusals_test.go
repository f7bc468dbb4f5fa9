package fronts

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// failures is the failure_limit of testdata/Caddyfile.
const failures = 10

// refusals: the client reads Hookgate's status and code, also while it is still sending.
func (s setup) refusals(t *testing.T) {
	dead := []string{"X-Callback-Token: not-a-live-token"}
	live := []string{"X-Callback-Token: " + s.gate.callback.token}
	twice := refusal{"400", request{target: s.gate.callback.path, fields: append(live, "X-Callback-Token: another"), from: "127.0.0.100"}, 400, "HKG-1400"}
	if s.joins { // to one token that nobody has
		twice.status, twice.code = 401, "HKG-1401"
	}
	throttled := request{target: s.gate.callback.path, fields: dead, from: "127.0.0.102", body: "{}"}
	for range failures {
		wantProblem(t, s.proxy.send(throttled), 401, "HKG-1401")
	}
	for _, test := range []refusal{
		twice,
		{"401", request{target: s.gate.callback.path, fields: dead, from: "127.0.0.101"}, 401, "HKG-1401"},
		{"403", request{target: s.gate.listed.path, from: elsewhere}, 403, "HKG-1403"},
		{"404", request{target: "/v1/none", fields: live}, 404, "HKG-1404"},
		{"405", request{target: s.gate.callback.path, fields: live, method: http.MethodPut}, 405, "HKG-1405"},
		{"429", throttled, 429, "HKG-1429"},
	} {
		t.Run(test.name, func(t *testing.T) { s.refuses(t, test, 2) })
	}
	t.Run("413", func(t *testing.T) {
		for _, framed := range []framing{byLength, chunked} {
			r := request{target: s.gate.callback.path, fields: live, body: text(4 * mib), framed: framed}
			if a := s.proxy.send(r); !wantProblem(t, a, 413, "HKG-1413") {
				t.Errorf("chunked: %v", framed == chunked)
			}
		}
	})
	s.gate.upstream.none(t)
}

// refusal is what a request is answered with, whatever its body.
type refusal struct {
	name   string
	r      request
	status int
	code   string
}

// refuses sends the request with bodies of either size and framing, each so many times.
func (s setup) refuses(t *testing.T, test refusal, times int) {
	for _, size := range []int{2, 2 * mib} {
		for _, framed := range []framing{byLength, chunked} {
			name := fmt.Sprintf("%d bytes", size)
			if framed == chunked {
				name += ", chunked"
			}
			t.Run(name, func(t *testing.T) {
				r := test.r
				r.body, r.framed = text(size), framed
				for range times {
					a := s.proxy.send(r)
					if !wantProblem(t, a, test.status, test.code) {
						return
					}
					if hint := a.header.Get("Retry-After"); (a.status == 429 || a.status == 503) && hint == "" {
						t.Error("no Retry-After")
					}
				}
			})
		}
	}
}

// text returns a body of that many bytes.
func text(size int) string { return strings.Repeat("0123456789abcdef", size/16+1)[:size] }
