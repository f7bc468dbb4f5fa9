package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	httpcaddyfile.RegisterHandlerDirective("hookgate_admin", parseAdmin)
	httpcaddyfile.RegisterDirectiveOrder("hookgate_admin", httpcaddyfile.Before, "respond")
}

func parseAdmin(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	a := new(Admin)
	return a, a.UnmarshalCaddyfile(h.Dispenser)
}

// UnmarshalCaddyfile parses the directive:
//
//	hookgate_admin {
//	    public_url  <url> [insecure]
//	    jwt         { ... }
//	    connections any | static <name>... | matcher <url> [<timeout>]
//	    rate_limit  <requests per second> [<burst>] | off
//	}
func (a *Admin) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return a.words().parseAlone(d) }

func (a *Admin) words() words {
	return words{
		"public_url":  once(a.parsePublicURL),
		"jwt":         into(&a.JWT, parseJWT),
		"connections": into(&a.Connections, parseConnections),
		"rate_limit":  into(&a.RateLimit, parseRateLimit),
	}
}

func (a *Admin) parsePublicURL(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	switch {
	case len(args) == 1:
	case len(args) == 2 && args[1] == "insecure":
		a.PublicURLInsecure = true
	default:
		return d.ArgErr()
	}
	a.PublicURL = args[0]
	return nil
}

var _ caddyfile.Unmarshaler = (*Admin)(nil)
