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
	seen := make(map[string]bool)
	for d.NextBlock(0) {
		word := d.Val()
		if seen[word] {
			return d.Errf("%s is given twice", word)
		}
		seen[word] = true
		switch word {
		case "try_duration":
			p.TryDuration, err = durationArg(d)
		case "dial_timeout":
			p.DialTimeout, err = durationArg(d)
		case "response_header_timeout":
			p.ResponseHeaderTimeout, err = durationArg(d)
		case "tls_ca":
			p.TLSCA, err = oneArg(d)
		default:
			err = d.Errf("unknown word %q in hookgate_proxy", word)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var _ caddyfile.Unmarshaler = (*Proxy)(nil)
