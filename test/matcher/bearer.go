package matcher

import (
	"net/http"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Default tenant of a Matcher that does not require a tenant claim.
const DefaultTenant = "11111111-1111-1111-1111-111111111111"

// caller is who a JWT says is calling.
type caller struct{ tenant, subject string }

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
	id, err := uuid.Parse(text)
	if err != nil {
		return caller{}, http.StatusUnauthorized
	}
	subject, ok := claims["sub"].(string)
	if _, found := claims["sub"]; found && !ok {
		return caller{}, http.StatusUnauthorized
	}
	return caller{id.String(), subject}, 0
}
