package matcher

import (
	"net/http"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// DefaultTenant is the tenant of a request that names none, and the one whose data
// any other gets to see where MULTI_TENANT_ENABLED is off.
const DefaultTenant = "11111111-1111-1111-1111-111111111111"

// caller is who a JWT says is calling. The tenant is spelled as in the claim.
type caller struct{ tenant, subject, role string }

// identify verifies a request's JWT as 2.x does: HMAC only, exp required, nbf
// honoured, and of the tenant claims the first that is there. It returns a status
// where it refuses.
func identify(r *http.Request, secret []byte, tenantRequired bool) (caller, int) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return caller{}, http.StatusUnauthorized
	}
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return secret, nil },
		jwt.WithValidMethods([]string{"HS256", "HS384", "HS512"}), jwt.WithExpirationRequired())
	if err != nil {
		return caller{}, http.StatusUnauthorized
	}
	tenant, found := claims["tenant_id"]
	if !found {
		tenant, found = claims["tenantId"]
	}
	if !found {
		if tenantRequired {
			return caller{}, http.StatusForbidden
		}
		tenant = DefaultTenant
	}
	text, _ := tenant.(string)
	if _, err := uuid.Parse(text); err != nil {
		return caller{}, http.StatusUnauthorized
	}
	subject, ok := claims["sub"].(string)
	if _, found := claims["sub"]; found && !ok {
		return caller{}, http.StatusUnauthorized
	}
	role, ok := rbacSubject(claims, subject)
	if !ok {
		return caller{}, http.StatusUnauthorized
	}
	return caller{text, subject, role}, 0
}

// rbacSubject returns whom the authorisation service is asked about: a user by owner and
// name, and everything else by the one role that all applications have, whatever sub says.
func rbacSubject(claims jwt.MapClaims, subject string) (string, bool) {
	if claims["type"] != "normal-user" {
		return "admin/matcher-editor-role", true
	}
	owner, _ := claims["owner"].(string)
	return owner + "/" + subject, owner != ""
}
