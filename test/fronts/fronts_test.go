package fronts

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
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
			s.awaitUp(t)
			cells := []cell{
				{"callback", setup.callback},
				{"webhook", setup.webhook},
				{"api", setup.api},
				{"bodies", setup.bodies},
				{"client address", setup.clientAddress},
				{"listed addresses", setup.listedAddresses},
				{"upgrade", setup.upgrade},
				{"headers", setup.headers},
				{"refusals", setup.refusals},
				{"foreign host", setup.unknownHost},
			}
			if f.tls {
				cells = append(cells, cell{"redirect", setup.redirect})
			}
			if f.h2 {
				cells = append(cells, cell{"HTTP/2", setup.http2})
			}
			cells = append(cells, cell{"undecided", setup.undecided}, cell{"restart", setup.restart})
			if f.checks {
				cells = append(cells, cell{"drain", setup.drain})
			}
			for _, c := range cells {
				t.Run(c.name, func(t *testing.T) { c.test(s, t) })
			}
		})
	}
}

// cell is what a front has to do. The last ones end the gate.
type cell struct {
	name string
	test func(setup, *testing.T)
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
	hookgatetest.Eventually(t, s.name+" passes requests on", func() bool {
		return s.proxy.send(s.webhookRequest(s.gate.webhook)).status == http.StatusOK
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

// api: the client id and the secret arrive.
func (s setup) api(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte(partner + ":" + partnerSecret))
	r := request{target: "/partners/orders", fields: []string{"Authorization: Basic " + basic}, body: `{}`}
	wantTaken(t, s.proxy.send(r))
	if got := s.gate.upstream.one(t); got.body != r.body || got.header.Get("Authorization") != "" || got.header.Get("X-Tenant-Id") != tenant {
		t.Errorf("at the upstream:\n%s\n%q", got, got.body)
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
	// What may be read in two ways is refused, unless the proxy has read it already.
	path := s.gate.webhook.path
	for _, odd := range []string{"/" + path, "/%76" + path[2:], "/v1/." + path[3:], path + "%2f", path + "/"} {
		r := s.webhookRequest(s.gate.webhook)
		r.target = odd
		a := s.proxy.send(r)
		if merged := s.merges && strings.HasPrefix(odd, "//"); merged && a.status == http.StatusOK {
			s.gate.upstream.one(t)
			continue
		}
		if a.status != http.StatusBadRequest && a.status != http.StatusNotFound { // the proxy's own or ours
			t.Errorf("%.20s: %s", odd, a)
		}
		s.gate.upstream.none(t)
	}
}
