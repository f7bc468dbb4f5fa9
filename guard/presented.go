package guard

import (
	"github.com/hookgate/hookgate/credential"
)

// ambiguous reports whether a request on a route can be read in more than one way,
// beyond what is so on every route: if it presents two credentials, or if nobody
// knows what an upstream makes of its path.
func ambiguous(route *Route, path string, req *Request) bool {
	switch route.kind {
	case credential.KindWebhook:
		return len(req.Tokens) > 0
	case credential.KindAPI:
		// Behind a * anything might come: '#', which some routers take for a fragment,
		// and what one proxy escapes and the next does not.
		return len(req.Tokens)+len(req.Authorization) > 1 || !madeOf(path, plainByte)
	}
	return false
}

// presented returns the digest under which the credential of an unambiguous request
// is looked up, or why none can be: Missing, Malformed, or WrongKind for one that is
// presented as credentials of the route's kind never are. The latter is refused
// whatever the keyring knows, and so is not a question of its freshness.
func presented(route *Route, inPath string, req *Request) (credential.Digest, Outcome) {
	token, authorization := inPath, ""
	if len(req.Tokens) == 1 {
		token = req.Tokens[0]
	}
	if len(req.Authorization) == 1 {
		authorization = req.Authorization[0]
	}
	api := route.kind == credential.KindAPI
	if token != "" {
		switch {
		case !credential.WellFormedToken(token):
			return credential.Digest{}, Malformed
		case api:
			return credential.DigestToken(token), WrongKind
		}
		return credential.DigestToken(token), ""
	}
	digest, basic := parseBasic(authorization)
	switch {
	case api && basic:
		return digest, ""
	case api && authorization != "":
		return digest, Malformed
	case basic:
		return digest, WrongKind
	}
	return digest, Missing
}
