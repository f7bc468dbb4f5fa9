// Package vars is what handlers and loggers tell each other of a request, in variables of
// Caddy's.
package vars

import (
	"net/http"
	"net/netip"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/guard"
)

// Route is the request variable that holds the path template of the route: what
// logs show instead of the path.
const Route = "hookgate.route"

// ClientAddress returns who sent r, as the server's trusted_proxies make it out.
// Nothing else about a request tells: any header can be forged, and the connection
// is the ingress's.
func ClientAddress(r *http.Request) netip.Addr {
	text, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	return guard.ParseClient(text)
}

// forwarding is the request variable that holds what was done to an allowed request.
const forwarding = "hookgate.forwarding"

// SetForwarding notes what was done to an allowed request: hookgate_proxy says once more
// who it comes from, after hop-by-hop headers are gone.
func SetForwarding(r *http.Request, f *guard.Forwarding) {
	caddyhttp.SetVar(r.Context(), forwarding, f)
}

// Forwarding returns what a guard did to r; nil: no guard has let it through.
func Forwarding(r *http.Request) *guard.Forwarding {
	f, _ := caddyhttp.GetVar(r.Context(), forwarding).(*guard.Forwarding)
	return f
}

// Unhandled reports whether r came to the end of Caddy's handlers with nobody
// answering it.
func Unhandled(r *http.Request) bool {
	end, _ := caddyhttp.GetVar(r.Context(), "unhandled").(bool)
	return end
}

// SetUnhandled says whether it did.
func SetUnhandled(r *http.Request, is bool) { caddyhttp.SetVar(r.Context(), "unhandled", is) }
