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
func (a *Admin) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive's name
	if d.NextArg() {
		return d.ArgErr()
	}
	seen := make(map[string]bool)
	for d.NextBlock(0) {
		word := d.Val()
		if seen[word] {
			return d.Errf("%s is given twice", word)
		}
		seen[word] = true
		var err error
		switch word {
		case "public_url":
			err = a.parsePublicURL(d)
		case "jwt":
			a.JWT, err = parseJWT(d)
		case "connections":
			a.Connections, err = parseConnections(d)
		case "rate_limit":
			a.RateLimit, err = parseRateLimit(d)
		default:
			err = d.Errf("unknown word %q in hookgate_admin", word)
		}
		if err != nil {
			return err
		}
	}
	return nil
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
