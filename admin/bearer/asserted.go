package bearer

import (
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// ourSubjects begins the names under which the audit log has what the server does by
// itself, and the sub claim of every guard's JWT. No operator has such a name.
const ourSubjects = "hookgate"

// subject returns who the token is for, "" where it does not say.
func subject(claims jwt.MapClaims) (string, *Refusal) {
	claim, given := claims["sub"]
	if !given {
		return "", nil
	}
	text, _ := claim.(string)
	if text == "" || strings.HasPrefix(text, ourSubjects) {
		return "", refuse(BadSubject)
	}
	return text, nil
}

// asserted reports whether a verified token is a guard's. A guard vouches to Matcher
// with JWTs of its own, signed with a secret that operators' tokens may be signed with
// too. They prove that a vendor posted, and must never prove an operator: with a default
// role they would. Those of a guard in another process, whose issuer is not known here,
// are told by their subject.
func (c *claimReader) asserted(claims jwt.MapClaims) bool {
	issuer, _ := claims["iss"].(string)
	return issuer != "" && c.assertedIssuer != nil && c.assertedIssuer(issuer)
}
