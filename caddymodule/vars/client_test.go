package vars

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// TestPeer: the client is the right-most entry that is no trusted proxy, and nobody where
// that is no address.
func TestPeer(t *testing.T) {
	for _, tc := range []struct {
		name    string
		strict  int
		headers []string // of client_ip_headers
		lines   http.Header
		want    string // "": nobody
	}{
		{"one", 1, nil, http.Header{"X-Forwarded-For": {"203.0.113.9"}}, "203.0.113.9"},
		{"none: the proxy itself", 1, nil, http.Header{}, "10.0.0.1"},
		{"empty: the proxy itself", 1, nil, http.Header{"X-Forwarded-For": {""}}, "10.0.0.1"},
		{"forged on the left", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1, 203.0.113.9"}}, "203.0.113.9"},
		{"behind two proxies", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1, 203.0.113.9, 10.0.0.2"}}, "203.0.113.9"},
		{"with a port", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1, 203.0.113.9:4711"}}, "203.0.113.9"},
		{"IPv6", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1, [2001:db8::9]:4711, 10.0.0.2"}}, "2001:db8::9"},
		{"IPv6 in brackets", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1, [2001:db8::9]"}}, "2001:db8::9"},
		{"in brackets without a blank", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1,[2001:db8::9]"}}, "2001:db8::9"},
		{"IPv4 in brackets without a blank", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1,[203.0.113.9],10.0.0.2"}}, "203.0.113.9"},
		{"in brackets in a line of its own", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1", "[203.0.113.9]"}}, "203.0.113.9"},
		{"in brackets alone", 1, nil, http.Header{"X-Forwarded-For": {"[203.0.113.9]"}}, "203.0.113.9"},
		{"in brackets, behind the peer itself", 1, nil, http.Header{"X-Forwarded-For": {"[203.0.113.9],10.0.0.1"}}, "203.0.113.9"},
		{"in brackets with a zone", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1", "[fe80::1%eth0]"}}, "fe80::1"},
		{"a bracket that is not closed", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1,[203.0.113.9"}}, ""},
		{"a bracket that is not closed, alone", 1, nil, http.Header{"X-Forwarded-For": {"[::1"}}, ""},
		{"a trusted proxy as IPv6", 1, nil, http.Header{"X-Forwarded-For": {"203.0.113.9, ::ffff:10.0.0.2"}}, "203.0.113.9"},
		{"a trusted proxy that the client writes as IPv6", 1, nil, http.Header{"X-Forwarded-For": {"::ffff:10.0.0.2,[203.0.113.9],10.0.0.2"}}, "203.0.113.9"},
		{"trusted proxies alone", 1, nil, http.Header{"X-Forwarded-For": {"10.0.0.3, 10.0.0.1"}}, "10.0.0.1"},
		{"the client as IPv6", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1, ::ffff:203.0.113.9"}}, "203.0.113.9"},
		{"a trusted proxy that Caddy does not read", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1, [::ffff:10.0.0.3]:4711, 10.0.0.2"}}, "198.51.100.1"},
		{"in two lines", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1", "203.0.113.9", "10.0.0.2"}}, "203.0.113.9"},
		{"empty elements", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1, , 203.0.113.9,"}}, "203.0.113.9"},
		{"no address", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1, unknown"}}, ""},
		{"no address behind a proxy", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1, _hidden, 10.0.0.2"}}, ""},
		{"no address in a line of its own", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1", "unknown", "10.0.0.2"}}, ""},
		{"no address alone", 1, nil, http.Header{"X-Forwarded-For": {"unknown"}}, ""},
		{"no address before the client", 1, nil, http.Header{"X-Forwarded-For": {"unknown, 203.0.113.9"}}, "203.0.113.9"},
		{"quoted", 1, nil, http.Header{"X-Forwarded-For": {`198.51.100.1, "203.0.113.9"`}}, ""},
		{"a name", 1, nil, http.Header{"X-Forwarded-For": {"198.51.100.1, localhost"}}, ""},
		{"another header", 1, []string{"X-Real-Ip"}, http.Header{"X-Forwarded-For": {"unknown"}, "X-Real-Ip": {"203.0.113.9"}}, "203.0.113.9"},
		{"another header, no address", 1, []string{"X-Real-Ip", "X-Forwarded-For"}, http.Header{"X-Forwarded-For": {"198.51.100.1"}, "X-Real-Ip": {"unknown"}}, ""},
		{"not strict", 0, nil, http.Header{"X-Forwarded-For": {"198.51.100.1, 203.0.113.9"}}, "198.51.100.1"},
		{"not strict, in brackets", 0, nil, http.Header{"X-Forwarded-For": {"[203.0.113.9],198.51.100.1"}}, "203.0.113.9"},
		{"not strict, no address", 0, nil, http.Header{"X-Forwarded-For": {"unknown, 203.0.113.9"}}, ""},
	} {
		server := provisioned(t, &caddyhttp.Server{
			TrustedProxiesRaw: []byte(`{"source": "static", "ranges": ["10.0.0.0/8"]}`), TrustedProxiesStrict: tc.strict, ClientIPHeaders: tc.headers,
		})
		for from, want := range map[string]string{"10.0.0.1:1": tc.want, "192.0.2.1:1": "192.0.2.1"} { // a trusted peer, and another
			w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil)
			r.RemoteAddr, r.Header = from, tc.lines
			r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, server)
			wanted, _ := netip.ParseAddr(want)
			peer := Peer(r)
			if peer.Client != wanted || peer.Trusted != (from == "10.0.0.1:1") {
				t.Errorf("%s from %s: %+v, want %q", tc.name, from, peer, want)
			}
			if ClientAddress(r) != wanted {
				t.Errorf("%s from %s: others are told of %s", tc.name, from, ClientAddress(r))
			}
		}
	}
}

// provisioned returns the server as Caddy runs it.
func provisioned(t *testing.T, server *caddyhttp.Server) *caddyhttp.Server {
	t.Helper()
	config, err := json.Marshal(caddyhttp.App{Servers: map[string]*caddyhttp.Server{"srv0": server}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := caddy.ProvisionContext(&caddy.Config{
		Admin: &caddy.AdminConfig{Disabled: true}, AppsRaw: caddy.ModuleMap{"http": config},
	})
	if err != nil {
		t.Fatal(err)
	}
	app, err := ctx.App("http")
	if err != nil {
		t.Fatal(err)
	}
	return app.(*caddyhttp.App).Servers["srv0"]
}

// TestTrustedProxies says so when Caddy keeps them elsewhere.
func TestTrustedProxies(t *testing.T) {
	for raw, want := range map[string][]netip.Prefix{
		"": nil,
		`{"source": "static", "ranges": ["10.0.0.0/8", "192.0.2.1"]}`: {netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32")},
	} {
		server := provisioned(t, &caddyhttp.Server{TrustedProxiesRaw: json.RawMessage(raw)})
		if ranges, known := TrustedProxies(server); !known || !slices.Equal(ranges, want) {
			t.Errorf("%s: %v, %t", raw, ranges, known)
		}
	}
}
