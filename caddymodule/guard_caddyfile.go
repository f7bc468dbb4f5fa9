package caddymodule

import (
	"fmt"
	"math"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/dustin/go-humanize"

	"github.com/hookgate/hookgate/guard"
)

func init() {
	httpcaddyfile.RegisterHandlerDirective("hookgate", parseGuard)
	// Before anything that changes the method or the path: the guard has to see the
	// request as the client sent it.
	httpcaddyfile.RegisterDirectiveOrder("hookgate", httpcaddyfile.Before, "method")
}

func parseGuard(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	g := new(Guard)
	return g, g.UnmarshalCaddyfile(h.Dispenser)
}

// UnmarshalCaddyfile parses the directive:
//
//	hookgate [<matcher>] {
//	    token_header <name>
//	    callback     <path with {exceptionId}>
//	    webhook      <path with {vendor} and {token}>
//	    api          <path> [<scope>...]
//	    max_body     <size>
//	    vendor       <name> { ... }
//	    failure_limit <n> <window> | off
//	}
func (g *Guard) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive's name
	if d.NextArg() {
		return d.ArgErr()
	}
	seen := make(map[string]bool)
	for d.NextBlock(0) {
		word := d.Val()
		switch word {
		case "vendor":
			if err := g.parseVendor(d); err != nil {
				return err
			}
			continue
		case "api":
			if err := g.parseAPI(d); err != nil {
				return err
			}
			continue
		case "failure_limit":
			if g.FailureLimit != nil {
				return d.Errf("%s is given twice", word)
			}
			var err error
			if g.FailureLimit, err = parseFailureLimit(d); err != nil {
				return err
			}
			continue
		}
		arg, err := oneArg(d)
		if err != nil {
			return err
		}
		switch word {
		case "callback":
			g.Callback = append(g.Callback, arg)
			continue
		case "webhook":
			g.Webhook = append(g.Webhook, arg)
			continue
		case "token_header":
			g.TokenHeader = arg
		case "max_body":
			size, err := humanize.ParseBytes(arg)
			if err != nil || size == 0 || size > math.MaxInt64 {
				return d.Errf("%q is not a size", arg)
			}
			g.MaxBody = int64(size)
		default:
			return d.Errf("unknown word %q in hookgate", word)
		}
		if seen[word] {
			return d.Errf("%s is given twice", word)
		}
		seen[word] = true
	}
	return nil
}

// addRoutes compiles the configured paths.
func (g *Guard) addRoutes() error {
	add := func(word, path string, compile func(string) (guard.Route, error)) error {
		route, err := compile(path)
		if err != nil {
			return fmt.Errorf("hookgate: %s %s: %w", word, path, err)
		}
		g.policy.Routes = append(g.policy.Routes, route)
		return nil
	}
	for _, path := range g.Callback {
		if err := add("callback", path, guard.CallbackRoute); err != nil {
			return err
		}
	}
	for _, path := range g.Webhook {
		if err := add("webhook", path, guard.WebhookRoute); err != nil {
			return err
		}
	}
	return g.addAPI()
}

var _ caddyfile.Unmarshaler = (*Guard)(nil)
