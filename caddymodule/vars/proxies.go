package vars

import (
	"net/netip"
	"reflect"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// TrustedProxies returns the ranges of a server's trusted_proxies static; none where it
// has no trusted proxies. With known false only Caddy can tell: they come from elsewhere,
// or Caddy keeps them where this package does not know.
func TrustedProxies(server *caddyhttp.Server) (ranges []netip.Prefix, known bool) {
	source := reflect.ValueOf(server).Elem().FieldByName("trustedProxies")
	if !source.IsValid() || source.Kind() != reflect.Interface {
		return nil, false
	}
	if source.IsNil() {
		return nil, true
	}
	static := source.Elem()
	if static.Type() != reflect.TypeFor[*caddyhttp.StaticIPRange]() {
		return nil, false
	}
	texts := static.Elem().FieldByName("Ranges")
	for i := range texts.Len() {
		prefix, err := caddyhttp.CIDRExpressionToPrefix(texts.Index(i).String())
		if err != nil {
			return nil, false
		}
		ranges = append(ranges, prefix)
	}
	return ranges, true
}
