package guard

import "strings"

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

// Of what tells of the client, these alone reach the upstream, and are made by us. A proxy
// of ours may say what the host and the scheme were; the proxy behind us makes them anew.
const (
	forwardedFor   = "X-Forwarded-For"
	forwardedHost  = "X-Forwarded-Host"
	forwardedProto = "X-Forwarded-Proto"
)

// hopHeaders never reach the upstream, whether the Connection header names them or not. A
// request to change the protocol is ignored (RFC 9110 section 7.8): what would be spoken
// behind it, nobody authenticates.
var hopHeaders = []string{"Connection", "Upgrade", "HTTP2-Settings"}

// ownHeaders reports whether a name is, to some upstream, that of a header which says who
// a request comes from.
func ownHeader(name string) bool {
	return isAlias(name, HeaderTenant) || hasAliasPrefix(name, identityPrefix) || isAlias(name, "Authorization")
}

// CanPass reports whether a header may be one of Policy.PassHeaders: not what the guard
// makes itself.
func CanPass(name string) bool {
	if isAlias(name, HeaderRequestID) && !strings.EqualFold(name, HeaderRequestID) {
		return false
	}
	return !ownHeader(name) && !isAnyAlias(name, hopHeaders) && !isAnyAlias(name, []string{forwardedFor, forwardedHost, forwardedProto})
}

// connectionOptions calls yield with each option of the Connection header: the names of
// the headers that are for this hop alone, among others.
func connectionOptions(header map[string][]string, yield func(option string) bool) {
	for _, line := range header["Connection"] {
		for option := range strings.SplitSeq(line, ",") {
			if !yield(strings.TrimSpace(option)) {
				return
			}
		}
	}
}

// endToEnd returns the values of a header, unless it is for this hop alone.
func endToEnd(header map[string][]string, name string) (values []string) {
	if values = header[name]; len(values) == 0 {
		return nil
	}
	connectionOptions(header, func(option string) bool {
		if strings.EqualFold(option, name) {
			values = nil
		}
		return values != nil
	})
	return values
}

func isAnyAlias(name string, list []string) bool {
	for _, canonical := range list {
		if isAlias(name, canonical) {
			return true
		}
	}
	return false
}

// isAlias reports whether name, to an upstream that maps headers to CGI-like
// variables, is the same header as canonical: case does not count, nor what joins the
// words, since such variables have an '_' for whatever is no letter or digit.
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
	case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		return c
	}
	return '-'
}
