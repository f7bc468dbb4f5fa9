package guard

import (
	"net/url"
	"strings"

	"github.com/hookgate/hookgate/credential"
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

// Strip says what StripHeaders deletes beyond what it always does.
type Strip struct {
	// TokenHeader is the name of the token header.
	TokenHeader string
	// TrustedPeer: the request came through a proxy of ours, whose word on the client
	// counts.
	TrustedPeer bool
	// ClientIPHeaders are the headers that such a proxy names the client in.
	ClientIPHeaders []string
}

// StripHeaders deletes from header, whose keys may have any spelling, what a client
// must not get through, in every alias that some upstream maps to it: identity
// headers, the token header, Authorization, and what would override the method, the
// path or the client's address. X-Forwarded-For goes even where a trusted proxy set
// it: the upstream gets the one address that was made of it, and not a list whose
// left end the client wrote.
//
// What the client declared to be hop-by-hop goes too. The proxy that follows would
// obey a Connection header, but after the identity headers are set, and would take
// them away again.
func StripHeaders(header map[string][]string, strip Strip) {
	nominated := make(map[string]bool)
	for _, line := range header["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			nominated[strings.ToLower(strings.TrimSpace(name))] = true
		}
	}
	for name := range header {
		if len(nominated) > 0 && nominated[strings.ToLower(name)] || strip.covers(name) {
			delete(header, name)
		}
	}
}

func (s Strip) covers(name string) bool {
	if isAlias(name, HeaderTenant) || hasAliasPrefix(name, identityPrefix) || isAlias(name, s.TokenHeader) ||
		isAlias(name, "Authorization") || isAlias(name, "Connection") || isAlias(name, forwardedFor) || isAnyAlias(name, overridingHeaders) {
		return true
	}
	return !s.TrustedPeer &&
		(hasAliasPrefix(name, forwardedPrefix) || isAnyAlias(name, forwardingHeaders) || isAnyAlias(name, s.ClientIPHeaders))
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

// identityHeaders are the headers that SetIdentity sets.
var identityHeaders = []string{
	"Authorization", HeaderTenant, HeaderCredentialID, HeaderKind, HeaderExternalSystem, HeaderVendor, HeaderConnection,
}

// SetIdentity sets the identity headers of an allowed request, and the Authorization
// that vouches for it, each exactly once.
// Free text is percent-encoded UTF-8. The header must have been stripped before.
func SetIdentity(header map[string][]string, d *Decision) {
	values := make([]string, 0, len(identityHeaders)) // of all of them
	set := func(name, value string) {
		if value != "" {
			values = append(values, value)
			header[name] = values[len(values)-1 : len(values) : len(values)]
		}
	}
	set("Authorization", d.Authorization)
	set(HeaderTenant, d.Identity.Tenant.String())
	set(HeaderCredentialID, d.Credential.String())
	set(HeaderKind, string(d.Identity.Kind))
	if d.Identity.Kind == credential.KindCallback {
		set(HeaderExternalSystem, url.PathEscape(d.Identity.Label))
	}
	set(HeaderVendor, d.Identity.Vendor)
	set(HeaderConnection, url.PathEscape(d.Identity.Connection))
}

// RestoreIdentity gives to the header towards the upstream what SetIdentity set in the
// header it was made from, whatever was taken away on the way.
func RestoreIdentity(to, from map[string][]string) {
	for _, name := range identityHeaders {
		if values, ok := from[name]; ok {
			to[name] = values
		} else {
			delete(to, name)
		}
	}
}
