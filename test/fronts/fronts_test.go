package fronts

import (
	"net/http"
	"testing"
)

// setup is a vendor's way in: a proxy, the gate behind it, and the upstream behind that.
type setup struct {
	front
	gate  *gate
	proxy *proxy
}

// TestFronts sends what vendors send through every proxy of the page.
func TestFronts(t *testing.T) {
	for _, f := range fronts {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			g := newGate(t, f)
			s := setup{f, g, startProxy(t, f, g)}
			g.start()
			g.mint()
			s.awaitUp(t)
			for _, cell := range []struct {
				name string
				test func(setup, *testing.T)
			}{
				{"callback", setup.callback},
				{"webhook", setup.webhook},
				{"bodies", setup.bodies},
				{"client address", setup.clientAddress},
				{"listed addresses", setup.listedAddresses},
				{"upgrade", setup.upgrade},
				{"redirect", setup.redirect},
				{"headers", setup.headers},
				{"HTTP/2", setup.http2},
				{"refusals", setup.refusals},
				{"foreign host", setup.unknownHost},
				{"undecided", setup.undecided},
				{"restart", setup.restart},
				{"drain", setup.drain},
			} {
				t.Run(cell.name, func(t *testing.T) { cell.test(s, t) })
			}
		})
	}
}

func (s setup) callbackRequest() request {
	return request{target: s.gate.callback.path, fields: []string{"X-Callback-Token: " + s.gate.callback.token}, body: `{"status":"resolved"}`}
}

func (s setup) webhookRequest(c credential) request {
	return request{target: c.path, body: "{\"event\" : \"item/updated\"}\n"}
}

// awaitUp waits until the proxy takes Hookgate for alive.
func (s setup) awaitUp(t *testing.T) {
	t.Helper()
	var last answer
	eventually(t, s.name+" passes requests on", func() bool {
		alive(t, s.name, s.proxy.process)
		last = s.proxy.send(s.webhookRequest(s.gate.webhook))
		return last.status == http.StatusOK || t.Failed()
	})
	s.gate.upstream.take()
}

// callback: the token header and the body arrive, and the identity is Hookgate's.
func (s setup) callback(t *testing.T) {
	r := s.callbackRequest()
	r.fields = append(r.fields, "X-Tenant-Id: forged", "X-Odd: a  b\t\"c\"")
	wantTaken(t, s.proxy.send(r))
	got := s.gate.upstream.one(t)
	if got.method != http.MethodPost || got.target != r.target || got.body != r.body || got.header.Get("X-Tenant-Id") != tenant ||
		len(got.header["X-Tenant-Id"]) != 1 || got.header.Get("X-Odd") != "a  b\t\"c\"" || got.header.Get("X-Callback-Token") != s.gate.callback.token {
		t.Errorf("at the upstream, of %q:\n%s\n%q", r.head(), got, got.body)
	}
}

// webhook: the path with the token and the query are those that the vendor wrote.
func (s setup) webhook(t *testing.T) {
	for _, query := range []string{"", "?", "?a=1&a=2", "?e=~&q=[a]|b&p=%7E%41%2f%2F&s=a+b%20c&u=%c3%a9", "?u=//x/../y"} {
		r := s.webhookRequest(s.gate.webhook)
		r.target += query
		wantTaken(t, s.proxy.send(r))
		if got := s.gate.upstream.one(t); got.target != r.target || got.body != r.body {
			t.Errorf("%q is at the upstream %q, %q", r.target, got.target, got.body)
		}
	}
	// What Hookgate reads in one way alone, a proxy may have made of something else.
	r := s.webhookRequest(s.gate.webhook)
	r.target = "/%76" + r.target[2:]
	if a := s.proxy.send(r); s.encoded != 0 {
		if a.status != s.encoded {
			t.Errorf("an encoded letter: %s", a)
		}
	} else {
		wantProblem(t, a, http.StatusBadRequest, "HKG-1400")
	}
	s.gate.upstream.take()
}
