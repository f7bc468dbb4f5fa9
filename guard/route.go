package guard

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hookgate/hookgate/credential"
)

// Placeholders of a route's path.
const (
	placeholderException = "{exceptionId}"
	placeholderVendor    = "{vendor}"
	placeholderToken     = "{token}"
)

// reservedVendor cannot be the name of a vendor: under the webhook path this segment
// belongs to the admin API.
const reservedVendor = "tokens"

const maxExceptionID = 128

// Route is one guarded shape of path: literal segments, and placeholders that each
// stand for one whole segment.
type Route struct {
	kind     credential.Kind
	template string
	segments []string
	// scopes are what a credential needs, all of them; api kind.
	scopes []string
	// upstream is the path towards the upstream in segments; nil: that of the client,
	// with the credential's id in place of the token.
	upstream []string
}

// CallbackRoute returns the route whose token is in the header. Its path has
// {exceptionId} exactly once.
func CallbackRoute(template string) (Route, error) {
	return newRoute(credential.KindCallback, template, placeholderException)
}

// WebhookRoute returns the route whose token is in the path. Its path has {vendor}
// and {token} exactly once each.
func WebhookRoute(template string) (Route, error) {
	return newRoute(credential.KindWebhook, template, placeholderVendor, placeholderToken)
}

var errPathNotCanonical = errors.New("the path must begin with / and have no %, //, dot segment, ; or \\")

func newRoute(kind credential.Kind, template string, wanted ...string) (Route, error) {
	if !canonicalPath(template) {
		return Route{}, errPathNotCanonical
	}
	if strings.HasSuffix(template, "/") {
		return Route{}, errors.New("the path must not end with /")
	}
	segments := strings.Split(template[1:], "/")
	var found []string
	for _, segment := range segments {
		if !strings.ContainsAny(segment, "{}*?#") {
			continue
		}
		if !slices.Contains(wanted, segment) {
			return Route{}, fmt.Errorf("%s cannot stand in this path; it takes %s", segment, strings.Join(wanted, " and "))
		}
		found = append(found, segment)
	}
	for _, placeholder := range wanted {
		if n := len(slices.DeleteFunc(slices.Clone(found), func(s string) bool { return s != placeholder })); n != 1 {
			return Route{}, fmt.Errorf("the path must have %s exactly once", placeholder)
		}
	}
	return Route{kind: kind, template: template, segments: segments}, nil
}

// Template returns the path as it was configured.
func (r *Route) Template() string { return r.template }

// allow returns the methods of the route, as an Allow header has them. Vendors
// probe a webhook URL with GET or HEAD before they use it.
func (r *Route) allow() string {
	switch r.kind {
	case credential.KindWebhook:
		return "POST, GET, HEAD"
	case credential.KindAPI:
		return allowAPI
	}
	return "POST"
}

// match is what the placeholders of a route stand for in one path.
type match struct {
	vendor    string
	exception string
	// token and where it stands in the path.
	token      string
	tokenStart int
}

// match compares a canonical path with the route, byte for byte.
func (r *Route) match(path string) (m match, ok bool) {
	at := 1
	for i, want := range r.segments {
		if at > len(path) {
			return match{}, false
		}
		segment := path[at:]
		if n := strings.IndexByte(segment, '/'); n >= 0 {
			segment = segment[:n]
		}
		switch want {
		case wildcard:
			return m, true
		case placeholderException:
			m.exception, ok = segment, validExceptionID(segment)
		case placeholderVendor:
			m.vendor, ok = segment, ValidVendor(segment)
		case placeholderToken:
			m.token, m.tokenStart, ok = segment, at, segment != ""
		default:
			ok = segment == want
		}
		at += len(segment) + 1
		if last := i == len(r.segments)-1; !ok || last && at <= len(path) {
			return match{}, false
		}
	}
	return m, true
}

// ValidVendor reports whether name can stand for {vendor} in a path.
func ValidVendor(name string) bool { return credential.ValidVendor(name) && name != reservedVendor }

// validExceptionID reports whether s is [A-Za-z0-9_-]{1,128}.
func validExceptionID(s string) bool {
	return len(s) >= 1 && len(s) <= maxExceptionID && madeOf(s, nameByte)
}
