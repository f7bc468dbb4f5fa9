package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
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
//	}
func (p *Proxy) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive's name
	var err error
	if p.Upstream, err = oneArg(d); err != nil {
		return err
	}
	return p.words().parse(d, "hookgate_proxy")
}

func (p *Proxy) words() words {
	return words{
		"try_duration":            into(&p.TryDuration, durationArg),
		"dial_timeout":            into(&p.DialTimeout, durationArg),
		"response_header_timeout": into(&p.ResponseHeaderTimeout, durationArg),
		"tls_ca":                  into(&p.TLSCA, oneArg),
	}
}

var _ caddyfile.Unmarshaler = (*Proxy)(nil)
