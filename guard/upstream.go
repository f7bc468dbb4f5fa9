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
			// What would have to be escaped could be escaped, and then read, in two ways.
			if !madeOf(segment, segmentByte) {
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

// TakesConnection reports whether the connection's name is part of the path that
// the upstream sees.
func (r *Route) TakesConnection() bool { return slices.Contains(r.upstream, placeholderConnection) }

// forward returns the path for an allowed request, decoded and as it is to be sent. It
// fails where the credential's connection cannot be a segment of it.
func (d *Decision) forward(credentialID string, forwardToken bool) (decoded, raw string, err error) {
	r, m, path := d.route, d.found, d.path
	if r.upstream == nil {
		if r.kind == credential.KindWebhook && !forwardToken {
			path = path[:m.tokenStart] + credentialID + path[m.tokenStart+len(m.token):]
		}
		return path, path, nil
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
			segment = credentialID
		case placeholderToken:
			segment = m.token
		case placeholderConnection:
			segment = d.Identity.Connection
			if sent, err = PathSegment(segment); err != nil {
				return "", "", errNoPath
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
	return plain.String(), escaped.String(), nil
}

var errNoPath = errors.New("the name of the connection cannot stand in the path to the upstream")

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
		case c < utf8.RuneSelf && classes[c]&segmentByte != 0:
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
