package handlers

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/caddymodule/grammar"
)

func init() {
	httpcaddyfile.RegisterHandlerDirective("hookgate_proxy", parseProxy)
	httpcaddyfile.RegisterDirectiveOrder("hookgate_proxy", httpcaddyfile.Before, "reverse_proxy")
}

func parseProxy(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	p := new(Proxy)
	return p, p.UnmarshalCaddyfile(h.Dispenser)
}

// UnmarshalCaddyfile parses the directive:
//
//	hookgate_proxy [<matcher>] <upstream> {
//	    try_duration            <duration>
//	    dial_timeout            <duration>
//	    response_header_timeout <duration>
//	    tls_ca                  <path>
//	    host                    upstream | client
//	    unguarded
//	}
func (p *Proxy) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive's name
	var err error
	if p.Upstream, err = grammar.OneArg(d); err != nil {
		return err
	}
	return p.Words().Parse(d, "hookgate_proxy")
}

func (p *Proxy) Words() grammar.Words {
	return grammar.Words{
		"try_duration":            grammar.Into(&p.TryDuration, grammar.DurationArg),
		"dial_timeout":            grammar.Into(&p.DialTimeout, grammar.DurationArg),
		"response_header_timeout": grammar.Into(&p.ResponseHeaderTimeout, grammar.DurationArg),
		"tls_ca":                  grammar.Into(&p.TLSCA, grammar.OneArg),
		"host":                    grammar.Into(&p.Host, grammar.OneArg),
		"unguarded":               grammar.Into(&p.Unguarded, grammar.Flag),
	}
}

var _ caddyfile.Unmarshaler = (*Proxy)(nil)
