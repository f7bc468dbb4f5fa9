// Package bearer turns a bearer token, a JWT, into an operator, or says in one word why
// it cannot.
package bearer

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// Role is what an operator may do.
type Role string

// The roles. The claims owner and admin give RoleAdmin, viewer gives RoleViewer.
const (
	RoleNone   Role = "none"   // nothing
	RoleViewer Role = "viewer" // list
	RoleAdmin  Role = "admin"  // list, mint, rotate and revoke
)

// Operator is who asks: the tenant whose credentials they see, and what they may do.
type Operator struct {
	Tenant uuid.UUID
	// TenantAs is how the token spells the tenant.
	TenantAs credential.TenantSpelling
	Subject  string // sub, empty where the token has none
	Role     Role
	// Token is the bearer token itself, for what has to ask elsewhere in the operator's
	// name.
	Token string
	// Until is when the token ends.
	Until time.Time
}

// Reason is why a token proves no operator.
type Reason string

// The reasons. With all but NoTenant and NoKeys the token is not valid, or there is none.
const (
	NoToken        Reason = "no token"
	TwoTokens      Reason = "two Authorization headers"
	TooLong        Reason = "too long"
	NotJWT         Reason = "not a JWT"
	BadSignature   Reason = "signature"
	CriticalHeader Reason = "critical header"
	Expired        Reason = "expired"
	NotYetValid    Reason = "not yet valid"
	WrongIssuer    Reason = "issuer"
	WrongAudience  Reason = "audience"
	NoClaim        Reason = "claim missing"
	LongLived      Reason = "valid for too long"
	OfGuard        Reason = "a guard's token"
	BadSubject     Reason = "subject"
	BadRoles       Reason = "role claim"
	BadTenant      Reason = "tenant claim"
	TwoTenants     Reason = "two tenants"
	Invalid        Reason = "invalid"
	// NoTenant: the token is valid, and names no tenant.
	NoTenant Reason = "no tenant"
	// NoKeys: whether it is valid cannot be told for want of the issuer's keys.
	NoKeys Reason = "no keys"
)

// Refusal is that no operator is proved.
type Refusal struct {
	Reason Reason
	// RetryAfter is when to ask again, for NoKeys.
	RetryAfter time.Duration
}

func (r *Refusal) Error() string { return "bearer token: " + string(r.Reason) }

func refuse(reason Reason) *Refusal { return &Refusal{Reason: reason} }

// maxAuthorization is the longest Authorization header that is parsed, in bytes.
const maxAuthorization = 16 << 10

// Identify returns the operator that the values of the Authorization header prove.
func (v *Verifier) Identify(ctx context.Context, authorization []string) (Operator, *Refusal) {
	token, refusal := tokenIn(authorization)
	if refusal != nil {
		return Operator{}, refusal
	}
	claims := jwt.MapClaims{}
	parsed, err := v.parser.ParseWithClaims(token, claims, v.keys(ctx))
	if err != nil {
		return Operator{}, fault(err)
	}
	// RFC 7515 section 4.1.11: what crit names must be understood, and we know nothing.
	if _, ok := parsed.Header["crit"]; ok {
		return Operator{}, refuse(CriticalHeader)
	}
	exp, err := claims.GetExpirationTime()
	if err != nil || exp.Sub(v.now()) > v.maxTTL {
		return Operator{}, refuse(LongLived)
	}
	who, refusal := v.claims.operator(claims)
	who.Token, who.Until = token, exp.Time
	return who, refusal
}

func tokenIn(authorization []string) (string, *Refusal) {
	switch {
	case len(authorization) == 0:
		return "", refuse(NoToken)
	case len(authorization) > 1:
		return "", refuse(TwoTokens)
	case len(authorization[0]) > maxAuthorization:
		return "", refuse(TooLong)
	}
	scheme, token, _ := strings.Cut(authorization[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", refuse(NoToken)
	}
	return strings.TrimLeft(token, " "), nil
}

// faults are what the library refuses a token for; the first that fits counts.
var faults = []struct {
	err    error
	reason Reason
}{
	{jwt.ErrTokenMalformed, NotJWT},
	{jwt.ErrTokenSignatureInvalid, BadSignature},
	{jwt.ErrTokenUnverifiable, BadSignature},
	{jwt.ErrTokenExpired, Expired},
	{jwt.ErrTokenNotValidYet, NotYetValid},
	{jwt.ErrTokenUsedBeforeIssued, NotYetValid},
	{jwt.ErrTokenInvalidIssuer, WrongIssuer},
	{jwt.ErrTokenInvalidAudience, WrongAudience},
	{jwt.ErrTokenRequiredClaimMissing, NoClaim},
}

// fault puts an error of the library into our words: its own may quote the token.
func fault(err error) *Refusal {
	var unknown noKeys
	if errors.As(err, &unknown) {
		return &Refusal{Reason: NoKeys, RetryAfter: unknown.retryAfter}
	}
	for _, f := range faults {
		if errors.Is(err, f.err) {
			return refuse(f.reason)
		}
	}
	return refuse(Invalid)
}
