package admin

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/store"
)

// Role is what an operator may do.
type Role string

// The roles. The claims owner and admin give RoleAdmin, viewer gives RoleViewer.
const (
	RoleNone   Role = "none"   // nothing
	RoleViewer Role = "viewer" // list
	RoleAdmin  Role = "admin"  // list, mint, rotate and revoke
)

// JWT says which bearer tokens the API accepts. A token must have exp, and its nbf
// is honoured, both without leeway.
type JWT struct {
	// Secret is the shared HMAC key. One shorter than 32 bytes is accepted, since it is
	// shared with a Matcher that may have been set up so, but logged as a warning.
	Secret []byte
	// Algorithms are those accepted, of HS256, HS384 and HS512; HS256 where empty.
	Algorithms []string
	// Issuer and Audience are required in iss and aud where set. Without them any
	// token signed with the secret is accepted, whatever it was issued for.
	Issuer   string
	Audience string
	// TenantClaims are the claims that may name the tenant, a UUID; tenant_id and
	// tenantId where empty. A token in which two of them differ is refused.
	TenantClaims []string
	// RolesClaims are the claims that may hold roles, each a string of one or more
	// separated by spaces, or a list of strings; roles and role where empty.
	RolesClaims []string
	// DefaultRole is the role of a token that has none of the RolesClaims; RoleNone
	// where empty. A token that has one, with roles unknown here, gets no default.
	DefaultRole Role
	// DefaultTenant is the tenant of a token that has none of the TenantClaims;
	// without it such a token is refused.
	DefaultTenant uuid.UUID
}

const (
	// minSecret is the shortest secret that is not warned of, in bytes: RFC 7518
	// section 3.2 for HS256. A shorter one can be guessed offline from a single token.
	minSecret = 32
	// maxAuthorization is the longest Authorization header that is parsed, in bytes.
	maxAuthorization = 16 << 10
)

var hmacAlgorithms = []string{"HS256", "HS384", "HS512"}

// operator is who asks: the tenant whose credentials they see, and what they may do.
type operator struct {
	tenant uuid.UUID
	role   Role
}

// verifier turns an Authorization header into an operator.
type verifier struct {
	parser *jwt.Parser
	keys   jwt.Keyfunc
	claims claimReader
}

func newVerifier(config JWT, now store.Clock) (*verifier, error) {
	if len(config.Secret) == 0 {
		return nil, errors.New("jwt: the secret is empty")
	}
	if len(config.Algorithms) == 0 {
		config.Algorithms = hmacAlgorithms[:1]
	}
	for _, name := range config.Algorithms {
		if !slices.Contains(hmacAlgorithms, name) {
			return nil, fmt.Errorf("jwt: unknown algorithm %q; known are %s", name, strings.Join(hmacAlgorithms, ", "))
		}
	}
	claims, err := newClaimReader(config)
	if err != nil {
		return nil, err
	}
	options := []jwt.ParserOption{
		// Pinned here: a token must not choose how it is verified.
		jwt.WithValidMethods(slices.Clone(config.Algorithms)),
		jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(now),
	}
	if config.Issuer != "" {
		options = append(options, jwt.WithIssuer(config.Issuer))
	}
	if config.Audience != "" {
		options = append(options, jwt.WithAudience(config.Audience))
	}
	secret := slices.Clone(config.Secret)
	return &verifier{
		parser: jwt.NewParser(options...),
		keys:   func(*jwt.Token) (any, error) { return secret, nil },
		claims: claims,
	}, nil
}

// identify returns the operator that the values of the Authorization header prove.
func (v *verifier) identify(authorization []string) (operator, *detail) {
	token, refusal := bearerToken(authorization)
	if refusal != nil {
		return operator{}, refusal
	}
	claims := jwt.MapClaims{}
	parsed, err := v.parser.ParseWithClaims(token, claims, v.keys)
	if err != nil {
		return operator{}, badToken(tokenFault(err))
	}
	// RFC 7515 section 4.1.11: what crit names must be understood, and we know nothing.
	if _, ok := parsed.Header["crit"]; ok {
		return operator{}, badToken("The bearer token has critical headers that are not understood.")
	}
	return v.claims.operator(claims)
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
