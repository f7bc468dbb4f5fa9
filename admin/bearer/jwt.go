package bearer

import (
	"cmp"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Config says which bearer tokens the API accepts. Exactly one of Secret, KeySetURL and
// PublicKey must be set. A token must have exp, and its nbf and iat are honoured.
type Config struct {
	// Secret is the shared HMAC key. One shorter than 32 bytes is accepted, since it is
	// shared with a Matcher that may have been set up so, but logged as a warning.
	Secret []byte
	// KeySetURL is the JWKS of the issuer. It is read when a token first needs it, again
	// for tokens with an unknown key id, and every few minutes. Until it could be read
	// once nobody is let in; from then on its keys hold while it cannot be reached. Every
	// token must have a kid.
	KeySetURL string
	// KeySetInsecure takes a KeySetURL with http that does not lead to this machine.
	// Whoever can change what it answers on its way can then sign tokens.
	KeySetInsecure bool
	// PublicKey is a PEM block with the one key that tokens are signed with.
	PublicKey []byte
	// Algorithms are those accepted. Where empty: HS256 with a Secret, RS256 with a
	// KeySetURL; with a PublicKey the one of its curve, or RS256.
	Algorithms []string
	// MaxTTL is how far ahead exp may lie; 30 days where zero. A token that hardly ends
	// is a password that nobody can change.
	MaxTTL time.Duration
	// Leeway is how far the issuer's clock may differ from ours: for exp, nbf and iat; 30
	// seconds where zero.
	Leeway time.Duration
	// Issuer and Audience are required in iss and aud where set. Without them any
	// token signed with the key is accepted, whatever it was issued for.
	Issuer   string
	Audience string
	// TenantClaims are the claims that may name the tenant, a UUID; tenant_id and
	// tenantId where empty. A token in which two of them differ is refused. A name that
	// no claim has is a path through claims, with dots between their names.
	TenantClaims []string
	// RolesClaims are the claims that may hold roles, each a string of one or more
	// separated by spaces, or a list of strings; roles and role where empty. They can be
	// paths as well.
	RolesClaims []string
	// DefaultRole is the role of a token that has none of the RolesClaims; RoleNone
	// where empty. A token that has one, with roles unknown here, gets no default.
	DefaultRole Role
	// DefaultTenant is the tenant of a token that has none of the TenantClaims;
	// without it such a token is refused.
	DefaultTenant uuid.UUID
	// AssertedIssuer reports whether iss is that of a guard which vouches to Matcher with
	// JWTs of its own: no such token is an operator's. It is asked for every token, so
	// that guards can be set up later. Nil: there is none.
	AssertedIssuer func(issuer string) bool
}

const (
	// MinSecret is the shortest secret that is not warned of, in bytes: RFC 7518
	// section 3.2 for HS256. A shorter one can be guessed offline from a single token.
	MinSecret = 32
	// defaultMaxTTL is Config.MaxTTL where that is zero.
	defaultMaxTTL = 30 * 24 * time.Hour
	// defaultLeeway is Config.Leeway where that is zero.
	defaultLeeway = 30 * time.Second
)

// Verifier turns an Authorization header into an operator.
type Verifier struct {
	parser *jwt.Parser
	keys   keySource
	end    func() // of what the keys need
	claims claimReader
	maxTTL time.Duration
	now    func() time.Time
}

// NewVerifier fails where the configuration is not usable. The issuer of the keys need not
// be reachable.
func NewVerifier(config Config, now func() time.Time, log *slog.Logger) (*Verifier, error) {
	v := &Verifier{now: now, maxTTL: config.MaxTTL, end: func() {}}
	switch {
	case v.maxTTL == 0:
		v.maxTTL = defaultMaxTTL
	case v.maxTTL < 0:
		return nil, errors.New("jwt: the longest lifetime of a token must be positive")
	case config.Leeway < 0:
		return nil, errors.New("jwt: the leeway must be positive")
	}
	var err error
	if v.claims, err = newClaimReader(config); err != nil {
		return nil, err
	}
	registerEd25519()
	algorithms, err := v.setKeys(config, log)
	if err != nil {
		return nil, err
	}
	options := []jwt.ParserOption{
		// Pinned here: a token must not choose how it is verified.
		jwt.WithValidMethods(methods(algorithms)),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(cmp.Or(config.Leeway, defaultLeeway)),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(now),
	}
	if config.Issuer != "" {
		options = append(options, jwt.WithIssuer(config.Issuer))
	}
	if config.Audience != "" {
		options = append(options, jwt.WithAudience(config.Audience))
	}
	v.parser = jwt.NewParser(options...)
	return v, nil
}

// Close ends what is done in the background. Tokens that are still being verified may
// be refused with NoKeys.
func (v *Verifier) Close() { v.end() }

// setKeys sets the source of keys and returns the algorithms that go with it.
func (v *Verifier) setKeys(config Config, log *slog.Logger) ([]string, error) {
	algorithms := slices.Clone(config.Algorithms)
	orElse := func(name string) {
		if len(algorithms) == 0 {
			algorithms = []string{name}
		}
	}
	sources := 0
	for _, given := range []bool{len(config.Secret) > 0, config.KeySetURL != "", len(config.PublicKey) > 0} {
		if given {
			sources++
		}
	}
	switch {
	case sources != 1:
		return nil, errors.New("jwt: exactly one of a secret, a JWKS URL and a public key is needed, and it must not be empty")
	case len(config.Secret) > 0:
		orElse("HS256")
		if err := checkAlgorithms(algorithms, hmacAlgorithms, "a secret"); err != nil {
			return nil, err
		}
		if len(config.Secret) < MinSecret {
			log.Warn("the JWT secret is short enough to be guessed from a token; RFC 7518 wants 32 bytes",
				slog.Int("bytes", len(config.Secret)))
		}
		v.keys = fixedKey(slices.Clone(config.Secret))
	case config.KeySetURL != "":
		orElse("RS256") // what every OpenID provider has
		if err := checkAlgorithms(algorithms, publicKeyAlgorithms, "a JWKS URL"); err != nil {
			return nil, err
		}
		if err := checkKeySetURL(config.KeySetURL, config.KeySetInsecure); err != nil {
			return nil, err
		}
		set := newKeySet(config.KeySetURL, canonicalNames(algorithms), v.now, log)
		v.keys, v.end = set.source, set.close
	default:
		key, err := parsePublicKey(config.PublicKey)
		if err != nil {
			return nil, err
		}
		orElse(algorithmsOf(key)[0])
		if err := checkAlgorithms(algorithms, algorithmsOf(key), "this public key"); err != nil {
			return nil, err
		}
		v.keys = fixedKey(key)
	}
	return algorithms, nil
}
