package bearer

import (
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// A guard vouches to Matcher with JWTs of its own, which are signed with a secret
// that operators' tokens may be signed with too. They prove that a vendor posted,
// and must never prove an operator: with a default role they would.

// assertedSubject begins the sub claim of every guard's JWT. It is refused whatever
// the issuer: the guard may run in another process, with an issuer not known here.
const assertedSubject = "hookgate:"

// asserted reports whether a verified token is a guard's.
func (c *claimReader) asserted(claims jwt.MapClaims) bool {
	if subject, _ := claims["sub"].(string); strings.HasPrefix(subject, assertedSubject) {
		return true
	}
	issuer, _ := claims["iss"].(string)
	return issuer != "" && c.assertedIssuer != nil && c.assertedIssuer(issuer)
}
