package guard

import (
	"net/url"
	"strings"

	"github.com/hookgate/hookgate/store"
)

// Identity headers: what the upstream may trust, since a client's own copies never
// reach it.
const (
	HeaderTenant         = "X-Tenant-Id"
	HeaderCredentialID   = "X-Hookgate-Credential-Id"
	HeaderKind           = "X-Hookgate-Kind"
	HeaderExternalSystem = "X-Hookgate-External-System"
	HeaderVendor         = "X-Hookgate-Vendor"
	HeaderConnection     = "X-Hookgate-Connection"
)

// identityPrefix is reserved as a whole, so that a later identity header cannot be
// forged against an older guard.
const identityPrefix = "x-hookgate-"

// StripHeaders deletes from header, whose keys may have any spelling, what a client
// must not get through: identity headers, the token header and Authorization, in
// every alias that some upstream maps to them, and what the client declared to be
// hop-by-hop. The proxy that follows would obey a Connection header too, but after
// the identity headers are set, and would take them away again.
func StripHeaders(header map[string][]string, tokenHeader string) {
	for _, line := range header["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			deleteHeader(header, strings.TrimSpace(name))
		}
	}
	for name := range header {
		if isAlias(name, HeaderTenant) || hasAliasPrefix(name, identityPrefix) ||
			isAlias(name, tokenHeader) || isAlias(name, "Authorization") || isAlias(name, "Connection") {
			delete(header, name)
		}
	}
}

// deleteHeader deletes every key that is name in some case.
func deleteHeader(header map[string][]string, name string) {
	for key := range header {
		if strings.EqualFold(key, name) {
			delete(header, key)
		}
	}
}

// isAlias reports whether name, to an upstream that maps headers to CGI-like
// variables, is the same header as canonical: case does not count, nor whether
// words are joined by '-', '_' or '.'.
func isAlias(name, canonical string) bool {
	return len(name) == len(canonical) && hasAliasPrefix(name, canonical)
}

func hasAliasPrefix(name, prefix string) bool {
	if len(name) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if aliasByte(name[i]) != aliasByte(prefix[i]) {
			return false
		}
	}
	return true
}

func aliasByte(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c + 'a' - 'A'
	case c == '_' || c == '.':
		return '-'
	}
	return c
}

// SetIdentity sets the identity headers of an allowed request, each exactly once.
// Free text is percent-encoded UTF-8. The header must have been stripped before.
func SetIdentity(header map[string][]string, d *Decision) {
	set := func(name, value string) {
		if value != "" {
			header[name] = []string{value}
		}
	}
	set(HeaderTenant, d.Identity.Tenant.String())
	set(HeaderCredentialID, d.Credential.String())
	set(HeaderKind, string(d.Identity.Kind))
	if d.Identity.Kind == store.KindCallback {
		set(HeaderExternalSystem, url.PathEscape(d.Identity.Label))
	}
	set(HeaderVendor, d.Identity.Vendor)
	set(HeaderConnection, url.PathEscape(d.Identity.Connection))
}
