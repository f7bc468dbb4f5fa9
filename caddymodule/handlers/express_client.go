package handlers

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/caddymodule/vars"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/internal/wire"
)

// sender is who sent a request, for the guard and for the upstream.
type sender struct {
	peer guard.Peer
	// What the upstream gets as X-Forwarded-For, -Host and -Proto.
	client, host, proto string
}

// sender returns who sent a request. What the peer says of it counts where that is a trusted
// proxy, by the same rules as on Caddy's way.
func (e *Express) sender(r *wire.Request) sender {
	s := sender{
		peer:   guard.Peer{Client: r.Client.Addr.Unmap(), Named: e.server.ClientIPHeaders},
		client: r.Client.Text, host: r.Host, proto: "http",
	}
	if !e.mayTrust(r.Client) {
		return s
	}
	asked := &http.Request{Method: r.Method, URL: new(url.URL), RemoteAddr: r.Client.Remote, Header: make(http.Header, 1)}
	for _, name := range e.server.ClientIPHeaders {
		if value := r.Get(http.CanonicalHeaderKey(name)); value != "" {
			asked.Header.Set(name, value)
		}
	}
	asked = caddyhttp.PrepareRequest(asked, caddy.NewReplacer(), nil, e.server)
	s.peer = vars.Peer(asked)
	s.client, _ = caddyhttp.GetVar(asked.Context(), caddyhttp.ClientIPVarKey).(string)
	if s.peer.Trusted {
		if host := r.Get("X-Forwarded-Host"); host != "" {
			s.host = host
		}
		if proto := r.Get("X-Forwarded-Proto"); proto != "" {
			s.proto = proto
		}
	}
	return s
}

// mayTrust reports whether only Caddy can tell who sent a request: its peer is a trusted
// proxy, or may be one.
func (e *Express) mayTrust(client wire.Client) bool {
	if !client.Addr.IsValid() || e.anyProxy {
		return true
	}
	address := client.Addr.Unmap()
	return slices.ContainsFunc(e.proxies, func(p netip.Prefix) bool { return p.Contains(address) })
}
