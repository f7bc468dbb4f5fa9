package vars

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/guard"
)

// Peer returns who sent r. What a trusted proxy says of the client is judged once more:
// Caddy passes over an entry that is no address, of which Squid and RFC 7239 have some
// ("unknown", "_hidden"), and takes the next one for the client, which the client wrote
// itself. Such a client is unknown, also to the logs and to the upstream.
func Peer(r *http.Request) guard.Peer {
	peer := guard.Peer{Client: ClientAddress(r)}
	server, ok := r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok || server == nil {
		return peer
	}
	peer.Named = server.ClientIPHeaders
	if peer.Trusted, _ = caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool); !peer.Trusted {
		return peer
	}
	if !readable(r.Header, server.ClientIPHeaders, server.TrustedProxiesStrict > 0, peer.Client) {
		peer.Client = netip.Addr{}
		caddyhttp.SetVar(r.Context(), caddyhttp.ClientIPVarKey, "")
	}
	return peer
}

// readable reports whether every entry that Caddy went past on its way to the client is an
// address. With trusted_proxies_strict it comes from the right, past the trusted ones, and
// else it takes the first from the left.
func readable(header http.Header, names []string, strict bool, client netip.Addr) bool {
	for _, name := range names {
		lines := header.Values(name)
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
				if strings.TrimSpace(entry) == "" {
					continue // no entry, by RFC 9110 section 5.6.1
				}
				switch address := parseEntry(entry); {
				case !address.IsValid():
					return false
				case address == client:
					return true
				case !strict:
					return false
				}
			}
		}
	}
	return true // there is none, or all of them are trusted proxies: the client is the peer
}

// parseEntry reads an entry as Caddy does, with a port or without.
func parseEntry(entry string) netip.Addr {
	host, _, err := net.SplitHostPort(entry)
	if err != nil {
		host = entry
	}
	return guard.ParseClient(strings.TrimSpace(host))
}
