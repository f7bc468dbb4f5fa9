package handlers

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/caddymodule/grammar"
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
//	    oidc        { ... }
//	    connections any | static <name>... | matcher <url> [<timeout>]
//	    mirror      <url> [<timeout>]
//	    rate_limit  <requests per second> [<burst>] | off
//	}
func (a *Admin) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return a.Words().ParseAlone(d) }

func (a *Admin) Words() grammar.Words {
	return grammar.Words{
		"public_url":  grammar.Once(func(d *caddyfile.Dispenser) error { return parsePublicURL(d, &a.PublicURL, &a.PublicURLInsecure) }),
		"jwt":         grammar.Into(&a.JWT, parseJWT),
		"oidc":        grammar.Into(&a.OIDC, parseOIDC),
		"connections": grammar.Into(&a.Connections, parseConnections),
		"mirror":      grammar.Into(&a.Mirror, parseMirror),
		"rate_limit":  grammar.Into(&a.RateLimit, parseRateLimit),
	}
}

func parsePublicURL(d *caddyfile.Dispenser, url *string, insecure *bool) error {
	args := d.RemainingArgs()
	switch {
	case len(args) == 1:
	case len(args) == 2 && args[1] == "insecure":
		*insecure = true
	default:
		return grammar.ArgErr(d, "public_url")
	}
	*url = args[0]
	return nil
}

var _ caddyfile.Unmarshaler = (*Admin)(nil)
