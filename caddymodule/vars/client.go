package vars

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/guard"
)

// Peer returns who sent r. What a trusted proxy says of the client is judged once more:
// Caddy passes over an entry that it cannot read, such as an address in brackets without a
// port, or the words that Squid and RFC 7239 have for none ("unknown", "_hidden"), and takes
// the next one for the client, which the client wrote itself. A client whose entry is no
// address is unknown, also to the logs and to the upstream.
func Peer(r *http.Request) guard.Peer {
	peer := guard.Peer{Client: ClientAddress(r)}
	if r.TLS != nil {
		peer.Certificates = r.TLS.PeerCertificates
	}
	server, ok := r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok || server == nil {
		return peer
	}
	peer.Named = server.ClientIPHeaders
	if peer.Trusted, _ = caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool); !peer.Trusted {
		return peer
	}
	if judged := judge(r, server); judged != peer.Client {
		peer.Client = judged
		text := ""
		if judged.IsValid() {
			text = judged.String()
		}
		caddyhttp.SetVar(r.Context(), caddyhttp.ClientIPVarKey, text)
	}
	return peer
}

// judge returns who the client is behind a trusted proxy. With trusted_proxies_strict it is
// the first from the right that is no trusted proxy, and else the first from the left.
func judge(r *http.Request, server *caddyhttp.Server) netip.Addr {
	connected := parseEntry(r.RemoteAddr)
	found, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	strict := server.TrustedProxiesStrict > 0
	for _, name := range server.ClientIPHeaders {
		lines := r.Header.Values(name)
		for i := range lines {
			line := lines[i]
			if strict {
				line = lines[len(lines)-1-i]
			}
			for more := true; more; {
				var entry string
				if strict {
					at := strings.LastIndexByte(line, ',')
					entry, line, more = line[at+1:], line[:max(at, 0)], at >= 0
				} else {
					entry, line, more = strings.Cut(line, ",")
				}
				entry = strings.TrimSpace(entry)
				if entry == "" {
					continue // no entry, by RFC 9110 section 5.6.1
				}
				address := parseEntry(entry)
				// What Caddy found is no trusted proxy, unless it found nothing and took the peer. Of
				// a proxy's IPv4 address that is written as IPv6 it does not know that it is one.
				untrusted := entry == found && entry == address.String() && address != connected
				if !strict || !address.IsValid() || untrusted || !isTrusted(server, address) {
					return address
				}
			}
		}
	}
	return connected // there is none, or all of them are trusted proxies
}

// parseEntry reads an entry, with a port or without.
func parseEntry(entry string) netip.Addr {
	if host, _, err := net.SplitHostPort(entry); err == nil {
		entry = host
	} else if bare, opened := strings.CutPrefix(entry, "["); opened {
		var closed bool
		if entry, closed = strings.CutSuffix(bare, "]"); !closed {
			return netip.Addr{}
		}
	}
	return guard.ParseClient(strings.TrimSpace(entry))
}

// isTrusted asks Caddy whether an address is that of a trusted proxy, as if it were a peer:
// the list is Caddy's own.
func isTrusted(server *caddyhttp.Server, address netip.Addr) bool {
	asPeer := &http.Request{Method: http.MethodGet, URL: new(url.URL), RemoteAddr: netip.AddrPortFrom(address, 0).String()}
	asPeer = caddyhttp.PrepareRequest(asPeer, caddy.NewReplacer(), nil, server)
	trusted, _ := caddyhttp.GetVar(asPeer.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	return trusted
}
