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

// Identity is what a token proves: who somebody is, and for which tenants they may act.
type Identity struct {
	Tenants []Tenancy
	Subject string // sub, empty where the token has none
	Role    Role
	// Token is the bearer token itself, for what has to ask elsewhere in the operator's
	// name; empty where they are signed in without one.
	Token string
	// Until is when the token ends.
	Until time.Time
}

// Operator is an Identity in one request: the tenant whose credentials they see, and what
// they may do.
type Operator struct {
	Tenant uuid.UUID
	// TenantAs is how the token spells the tenant.
	TenantAs credential.TenantSpelling
	Subject  string
	Role     Role
	Token    string
	Until    time.Time
}

// Reason is why a token proves no operator.
type Reason string

// The reasons. With all but the last ones the token is not valid, or there is none.
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
	// SessionOver: the cookie of the console proves nobody, or nobody any more.
	SessionOver Reason = "session over"
	// NoTenant: the token is valid, and names no tenant.
	NoTenant Reason = "no tenant"
	// NoChoice: the token is valid for several tenants, and the request picks none.
	NoChoice Reason = "no tenant chosen"
	// WrongChoice: the request picks a tenant that the token is not for.
	WrongChoice Reason = "another tenant chosen"
	// CrossSite: somebody is signed in, and it is not our page that asks.
	CrossSite Reason = "another site"
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

// Identify returns who the values of the Authorization header prove.
func (v *Verifier) Identify(ctx context.Context, authorization []string) (Identity, *Refusal) {
	token, refusal := TokenIn(authorization)
	if refusal != nil {
		return Identity{}, refusal
	}
	who, _, refusal := v.Verify(ctx, token)
	return who, refusal
}

// Verify returns who a token proves, and all that it claims.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, jwt.MapClaims, *Refusal) {
	claims := jwt.MapClaims{}
	parsed, err := v.parser.ParseWithClaims(token, claims, v.keys(ctx))
	if err != nil {
		return Identity{}, nil, fault(err)
	}
	// RFC 7515 section 4.1.11: what crit names must be understood, and we know nothing.
	if _, ok := parsed.Header["crit"]; ok {
		return Identity{}, nil, refuse(CriticalHeader)
	}
	exp, err := claims.GetExpirationTime()
	if err != nil || exp.Sub(v.now()) > v.maxTTL {
		return Identity{}, nil, refuse(LongLived)
	}
	who, refusal := v.claims.identity(claims)
	who.Token, who.Until = token, exp.Time
	return who, claims, refusal
}

// TokenIn returns the bearer token in the values of the Authorization header.
func TokenIn(authorization []string) (string, *Refusal) {
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
