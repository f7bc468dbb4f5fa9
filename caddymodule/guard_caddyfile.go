package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
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
func (g *Guard) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return g.words().parseAlone(d) }

func (g *Guard) words() words {
	return words{
		"token_header":    into(&g.TokenHeader, oneArg),
		"callback":        often(func(d *caddyfile.Dispenser) error { return g.parseRoute(d, &g.Callback) }),
		"webhook":         often(func(d *caddyfile.Dispenser) error { return g.parseRoute(d, &g.Webhook) }),
		"api":             often(g.parseAPI),
		"max_body":        into(&g.MaxBody, sizeArg),
		"vendor":          often(g.parseVendor),
		"failure_limit":   into(&g.FailureLimit, parseFailureLimit),
		"assert_jwt":      into(&g.AssertJWT, parseAssertJWT),
		"idempotency_key": into(&g.IdempotencyKey, oneArg),
		"forward_token":   into(&g.ForwardToken, flag),
	}
}

var _ caddyfile.Unmarshaler = (*Guard)(nil)
