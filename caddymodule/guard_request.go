package caddymodule

import (
	"net/http"
	"net/netip"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/guard"
)

// clientAddress returns who sent r, as the server's trusted_proxies make it out.
// Nothing else about a request tells: any header can be forged, and the connection
// is the ingress's.
func clientAddress(r *http.Request) netip.Addr {
	text, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	return guard.ParseClient(text)
}

// decisionVar is the request variable that holds the decision on an allowed request:
// hookgate_proxy says once more who it comes from, after hop-by-hop headers are gone.
const decisionVar = "hookgate.decision"

// prepare turns r into what the upstream is to see. The path is the one the
// decision was made on, built anew from its validated parts.
func (g *Guard) prepare(r *http.Request, d *guard.Decision, client netip.Addr) {
	trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	strip := guard.Strip{TokenHeader: g.TokenHeader, TrustedPeer: trusted}
	if server, ok := r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); ok {
		strip.ClientIPHeaders = server.ClientIPHeaders
	}
	guard.StripHeaders(r.Header, strip)
	guard.SetIdentity(r.Header, d)
	caddyhttp.SetVar(r.Context(), decisionVar, d)
	if trusted && client.IsValid() {
		// The proxy that follows makes X-Forwarded-For of the peer's address. Behind an
		// ingress that would be the ingress.
		r.RemoteAddr = netip.AddrPortFrom(client, 0).String()
	}
	// Trailers arrive after the decision, and could repeat any header. Without the
	// map there is nothing that net/http could fill at the end of the body.
	r.Trailer = nil
	r.URL.Path, r.URL.RawPath = d.Path, d.Path // as it is: net/url would escape more than it has to
	r.RequestURI = r.URL.RequestURI()
	if repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		repl.Set("http.auth.user.id", d.Credential.String()) // user_id in Caddy's access log
	}
}
