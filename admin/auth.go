package admin

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Role is what an operator may do.
type Role string

// The roles. The claims owner and admin give RoleAdmin, viewer gives RoleViewer.
const (
	RoleNone   Role = "none"   // nothing
	RoleViewer Role = "viewer" // list
	RoleAdmin  Role = "admin"  // list, mint, rotate and revoke
)

// maxAuthorization is the longest Authorization header that is parsed, in bytes.
const maxAuthorization = 16 << 10

// operator is who asks: the tenant whose credentials they see, and what they may do.
type operator struct {
	tenant  uuid.UUID
	subject string // sub, empty where the token has none
	role    Role
}

// identify returns the operator that the values of the Authorization header prove.
func (v *verifier) identify(ctx context.Context, authorization []string) (operator, *detail) {
	token, refusal := bearerToken(authorization)
	if refusal != nil {
		return operator{}, refusal
	}
	claims := jwt.MapClaims{}
	parsed, err := v.parser.ParseWithClaims(token, claims, v.keyFor(ctx))
	var unknown noKeys
	switch {
	case errors.As(err, &unknown):
		// Whether the token is good cannot be told. After a 401 a client would throw it away.
		return operator{}, refuse(problemNoKeys).with("Retry-After", seconds(unknown.retryAfter))
	case err != nil:
		return operator{}, badToken(tokenFault(err))
	}
	// RFC 7515 section 4.1.11: what crit names must be understood, and we know nothing.
	if _, ok := parsed.Header["crit"]; ok {
		return operator{}, badToken("The bearer token has critical headers that are not understood.")
	}
	if exp, err := claims.GetExpirationTime(); err != nil || exp.Sub(v.now()) > v.maxTTL {
		return operator{}, badToken("The bearer token is valid for too long.")
	}
	return v.claims.operator(claims)
}

// seconds writes a Retry-After: whole seconds, and never an invitation to try at once.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

func bearerToken(authorization []string) (string, *detail) {
	switch len(authorization) {
	case 0:
		return "", noToken()
	case 1:
	default:
		return "", badToken("There is more than one Authorization header.")
	}
	if len(authorization[0]) > maxAuthorization {
		return "", badToken("The Authorization header is too long.")
	}
	scheme, token, _ := strings.Cut(authorization[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", noToken()
	}
	return strings.TrimLeft(token, " "), nil
}

// challenge is RFC 6750's. It names no error where the request had no token.
const challenge = `Bearer realm="hookgate"`

func noToken() *detail {
	return refuse(problemUnauthenticated).because("The request carries no bearer token.").with("WWW-Authenticate", challenge)
}

func badToken(text string) *detail {
	return refuse(problemUnauthenticated).because(text).with("WWW-Authenticate", challenge+`, error="invalid_token"`)
}

// tokenFault puts a refusal into fixed words: the library's own may quote the token.
func tokenFault(err error) string {
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return "The bearer token is not a JWT."
	case errors.Is(err, jwt.ErrTokenSignatureInvalid), errors.Is(err, jwt.ErrTokenUnverifiable):
		return "The signature of the bearer token cannot be verified."
	case errors.Is(err, jwt.ErrTokenExpired):
		return "The bearer token has expired."
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return "The bearer token is not valid yet."
	case errors.Is(err, jwt.ErrTokenInvalidIssuer):
		return "The bearer token is from another issuer."
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return "The bearer token is for another audience."
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return "The bearer token lacks a required claim; exp is one."
	}
	return "The bearer token is not valid."
}
