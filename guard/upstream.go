package guard

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hookgate/hookgate/credential"
)

// Placeholders that only an upstream template has, beside those of a route's path.
const (
	placeholderCredential = "{credentialId}"
	placeholderConnection = "{connection}"
)

// To returns the route with another path towards the upstream: a template of
// literal segments, and of placeholders that each stand for one whole segment. The
// token can stand in it only where it is forwarded at all.
func (r Route) To(template string, forwardToken bool) (Route, error) {
	known := []string{placeholderVendor, placeholderConnection, placeholderCredential}
	if r.kind == credential.KindCallback {
		known = []string{placeholderException, placeholderCredential}
	} else if forwardToken {
		known = append(known, placeholderToken)
	}
	if !canonicalPath(template) {
		return Route{}, errPathNotCanonical
	}
	segments := strings.Split(template[1:], "/")
	for _, segment := range segments {
		switch {
		case !strings.ContainsAny(segment, "{}"):
			if !literalSegment(segment) {
				return Route{}, fmt.Errorf("%q cannot stand in a path unescaped", segment)
			}
		case segment == placeholderToken && r.kind == credential.KindWebhook && !forwardToken:
			return Route{}, errors.New("{token} can stand in this path only with forward_token")
		case !slices.Contains(known, segment):
			return Route{}, fmt.Errorf("%s cannot stand in this path; it takes %s", segment, strings.Join(known, ", "))
		}
	}
	r.upstream = segments
	return r, nil
}

// literalSegment reports whether every byte of s may stand in a path as it is: what
// would have to be escaped could be escaped, and then read, in two ways.
func literalSegment(s string) bool {
	for i := range len(s) {
		if !pathByte(s[i]) {
			return false
		}
	}
	return true
}

// TakesConnection reports whether the connection's name is part of the path that
// the upstream sees.
func (r *Route) TakesConnection() bool { return slices.Contains(r.upstream, placeholderConnection) }

// forward returns the path for an allowed request, decoded and as it is to be sent.
// Both are "" where the credential's connection cannot be a segment of it.
func (r *Route) forward(path string, m match, d *Decision, forwardToken bool) (decoded, raw string) {
	if r.upstream == nil {
		if r.kind == credential.KindWebhook && !forwardToken {
			path = path[:m.tokenStart] + d.Credential.String() + path[m.tokenStart+len(m.token):]
		}
		return path, path
	}
	var plain, escaped strings.Builder
	for _, segment := range r.upstream {
		sent := ""
		switch segment {
		case placeholderException:
			segment = m.exception
		case placeholderVendor:
			segment = m.vendor
		case placeholderCredential:
			segment = d.Credential.String()
		case placeholderToken:
			segment = m.token
		case placeholderConnection:
			segment = d.Identity.Connection
			var err error
			if sent, err = PathSegment(segment); err != nil {
				return "", ""
			}
		}
		if sent == "" {
			sent = segment // of bytes that need no escaping
		}
		plain.WriteByte('/')
		plain.WriteString(segment)
		escaped.WriteByte('/')
		escaped.WriteString(sent)
	}
	return plain.String(), escaped.String()
}

var errNoSegment = errors.New(`it may hold letters, digits, spaces and ASCII punctuation other than / \ % ; ? #, and must not begin or end with a dot or a space`)

// PathSegment returns text, which may have been written by anybody, as one segment
// of a path. Escaping alone is not enough: proxies and routers decode %2F and %5C
// into separators, %2E%2E into a dot segment, %25 into a second round, and some
// normalise look-alikes of these. So text that needs any such escape is no segment.
func PathSegment(text string) (string, error) {
	if text == "" || !utf8.ValidString(text) || strings.Trim(text, ". ") != text {
		return "", errNoSegment
	}
	var escaped strings.Builder
	for _, c := range text {
		switch {
		case c < utf8.RuneSelf && c != ' ' && literalSegment(string(c)):
			escaped.WriteRune(c)
			continue
		case c < ' ', c == 0x7f, strings.ContainsRune(`/\%;?#`, c):
			return "", errNoSegment
		case c >= utf8.RuneSelf && !unicode.IsLetter(c) && !unicode.IsMark(c) && !unicode.IsDigit(c):
			return "", errNoSegment
		}
		for _, b := range []byte(string(c)) {
			fmt.Fprintf(&escaped, "%%%02X", b)
		}
	}
	return escaped.String(), nil
}
