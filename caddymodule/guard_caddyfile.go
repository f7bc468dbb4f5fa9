package caddymodule

import (
	"math"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/dustin/go-humanize"
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
//	    callback     <path with {exceptionId}> [-> <upstream template>]
//	    webhook      <path with {vendor} and {token}> [-> <upstream template>]
//	    api          <path> [<scope>...]
//	    max_body     <size>
//	    vendor       <name> { ... }
//	    failure_limit <n> <window> | off
//	    assert_jwt   { ... }
//	    idempotency_key body
//	    forward_token
//	}
func (g *Guard) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive's name
	if d.NextArg() {
		return d.ArgErr()
	}
	seen := make(map[string]bool)
	for d.NextBlock(0) {
		word := d.Val()
		var err error
		switch word { // words that may be repeated
		case "callback":
			err = g.parseRoute(d, &g.Callback)
		case "webhook":
			err = g.parseRoute(d, &g.Webhook)
		case "vendor":
			err = g.parseVendor(d)
		case "api":
			err = g.parseAPI(d)
		default:
			if seen[word] {
				return d.Errf("%s is given twice", word)
			}
			seen[word] = true
			err = g.parseWord(d, word)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parseWord parses a word that stands at most once.
func (g *Guard) parseWord(d *caddyfile.Dispenser, word string) (err error) {
	switch word {
	case "token_header":
		g.TokenHeader, err = oneArg(d)
	case "max_body":
		g.MaxBody, err = sizeArg(d)
	case "failure_limit":
		g.FailureLimit, err = parseFailureLimit(d)
	case "assert_jwt":
		g.AssertJWT, err = parseAssertJWT(d)
	case "idempotency_key":
		g.IdempotencyKey, err = oneArg(d)
	case "forward_token":
		if g.ForwardToken = true; d.NextArg() {
			err = d.ArgErr()
		}
	default:
		err = d.Errf("unknown word %q in hookgate", word)
	}
	return err
}

func sizeArg(d *caddyfile.Dispenser) (int64, error) {
	arg, err := oneArg(d)
	if err != nil {
		return 0, err
	}
	size, err := humanize.ParseBytes(arg)
	if err != nil || size == 0 || size > math.MaxInt64 {
		return 0, d.Errf("%q is not a size", arg)
	}
	return int64(size), nil
}

var _ caddyfile.Unmarshaler = (*Guard)(nil)
