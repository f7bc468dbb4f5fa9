package handlers

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/caddymodule/grammar"
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
//	    matcher      2|4 { ... }
//	    token_header <name>
//	    callback     <path with {exceptionId}> [-> <upstream template>]
//	    webhook      <path with {vendor} and {token}> [-> <upstream template>]
//	    api          <path> [<scope>...]
//	    max_body     <size>
//	    vendor       <name> { ... }
//	    public_url   <url> [insecure]
//	    failure_limit <n> <window> | off
//	    assert_jwt   { ... }
//	    idempotency_key body
//	    forward_token
//	    pass_headers <name>...
//	}
func (g *Guard) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return g.Words().ParseAlone(d) }

func (g *Guard) Words() grammar.Words {
	return grammar.Words{
		"matcher":         grammar.Into(&g.Matcher, parseMatcher),
		"token_header":    grammar.Into(&g.TokenHeader, grammar.OneArg),
		"callback":        grammar.Often(func(d *caddyfile.Dispenser) error { return g.parseRoute(d, &g.Callback) }),
		"webhook":         grammar.Often(func(d *caddyfile.Dispenser) error { return g.parseRoute(d, &g.Webhook) }),
		"api":             grammar.Often(g.parseAPI),
		"max_body":        grammar.Into(&g.MaxBody, grammar.SizeArg),
		"vendor":          grammar.Often(g.parseVendor),
		"public_url":      grammar.Once(func(d *caddyfile.Dispenser) error { return parsePublicURL(d, &g.PublicURL, &g.PublicURLInsecure) }),
		"failure_limit":   grammar.Into(&g.FailureLimit, parseFailureLimit),
		"assert_jwt":      grammar.Into(&g.AssertJWT, parseAssertJWT),
		"idempotency_key": grammar.Into(&g.IdempotencyKey, grammar.OneArg),
		"forward_token":   grammar.Into(&g.ForwardToken, grammar.Flag),
		"pass_headers":    grammar.Into(&g.PassHeaders, grammar.SomeArgs),
	}
}

var _ caddyfile.Unmarshaler = (*Guard)(nil)
