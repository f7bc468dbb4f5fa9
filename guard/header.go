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

// overridingHeaders never reach the upstream, whoever sends them: frameworks act on
// them as if they were the method or the path, and the guard has judged others.
var overridingHeaders = []string{
	"X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL",
}

// forwardingHeaders tell of the client where a proxy in front of us does. From
// anybody else they are forged: frameworks, Matcher's among them, can be set to take
// the client's address, host or scheme from any of these. X-Forwarded-* goes as a
// whole; the proxy behind us sets its own.
var forwardingHeaders = []string{
	"Forwarded", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "X-Original-Forwarded-For", "X-Original-Host", "X-Host",
	"X-Url-Scheme", "Front-End-Https", "Client-IP", "True-Client-IP",
	"CF-Connecting-IP", "CF-Connecting-IPv6", "CF-Pseudo-IPv4", "CF-Visitor", "Fastly-Client-IP", "Fly-Client-IP", "X-Azure-ClientIP",
	"X-Appengine-User-IP", "X-Envoy-External-Address",
}

const (
	forwardedPrefix = "x-forwarded"
	forwardedFor    = "X-Forwarded-For"
)

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
