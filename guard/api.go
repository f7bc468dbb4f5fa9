package guard

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// wildcard, as the last segment of an api path, stands for any rest of it, the empty
// one too.
const wildcard = "*"

// allowAPI is the Allow header of api paths. They take any other method as well, but
// for two: CONNECT asks for a tunnel, behind which nothing is authenticated any more,
// and TRACE for an echo of the request as the upstream gets it, with what we tell the
// upstream alone.
const allowAPI = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

func apiMethod(method string) bool {
	// An upstream may read a method in any case.
	return !strings.EqualFold(method, "CONNECT") && !strings.EqualFold(method, "TRACE")
}

// APIRoute returns the route of api credentials, presented as HTTP Basic. Its path
// has no placeholders; it may end with the segment *. A credential needs every one of
// the scopes.
func APIRoute(template string, scopes ...string) (Route, error) {
	prefix, rest := strings.CutSuffix(template, "/"+wildcard)
	if !canonicalPath(template) {
		return Route{}, errPathNotCanonical
	}
	if !rest && strings.HasSuffix(template, "/") {
		return Route{}, errors.New("the path must not end with /")
	}
	if strings.Contains(prefix, wildcard) {
		return Route{}, errors.New("* stands for the rest of a path, and so must be its last segment")
	}
	if !madeOf(prefix, plainByte) {
		return Route{}, errors.New("the path must be written without placeholders and without what has to be escaped")
	}
	for i, scope := range scopes {
		if !credential.ValidScope(scope) {
			return Route{}, fmt.Errorf("scope %q must be 1 to %d printable ASCII characters without space, quote and backslash", scope, credential.MaxScopeLength)
		}
		if slices.Contains(scopes[:i], scope) {
			return Route{}, fmt.Errorf("scope %s is given twice", scope)
		}
	}
	if len(scopes) > credential.MaxScopes {
		return Route{}, fmt.Errorf("no credential has more than %d scopes", credential.MaxScopes)
	}
	return Route{kind: credential.KindAPI, template: template, segments: strings.Split(template[1:], "/"), scopes: scopes}, nil
}

// Covers reports whether every path of the api route other is one of r's, so that
// other, behind r, is never reached, nor its scopes ever asked for.
func (r *Route) Covers(other *Route) bool {
	if strings.HasSuffix(other.template, wildcard) && !strings.HasSuffix(r.template, wildcard) {
		return false
	}
	_, ok := r.match(other.template)
	return ok
}

// permits reports whether a credential has what the route asks for.
func (r *Route) permits(identity *keyring.Identity) bool {
	for _, scope := range r.scopes {
		if !slices.Contains(identity.Scopes, scope) {
			return false
		}
	}
	return true
}
