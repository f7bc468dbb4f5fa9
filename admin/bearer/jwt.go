package bearer

import (
	"cmp"
	"crypto/x509"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Config says which bearer tokens the API accepts. Exactly one of Secrets, KeySetURL and
// PublicKeys must be set. A token must have exp, and its nbf and iat are honoured.
type Config struct {
	// Secrets are shared HMAC keys, any of which verifies, so that one can follow another.
	// One shorter than 32 bytes is accepted, since it is shared with a Matcher that may have
	// been set up so, but logged as a warning.
	Secrets [][]byte
	// KeySetURL is the JWKS of the issuer. It is read when a token first needs it, again
	// for tokens with an unknown key id, and every few minutes. Until it could be read
	// once nobody is let in; from then on its keys hold while it cannot be reached. Every
	// token must have a kid.
	KeySetURL string
	// KeySetInsecure takes a KeySetURL with http that does not lead to this machine.
	// Whoever can change what it answers on its way can then sign tokens.
	KeySetInsecure bool
	// KeySetRoots are the authorities to trust for KeySetURL instead of the system's, if
	// not nil.
	KeySetRoots *x509.CertPool
	// KeySetToken is a file with the bearer token that is sent to KeySetURL: the API server
	// of Kubernetes shows its keys to nobody else. It is read anew each time, since what is
	// in it is replaced within the hour.
	KeySetToken string
	// PublicKeys are PEM blocks, each with one of the keys that tokens are signed with.
	PublicKeys [][]byte
	// Algorithms are those accepted. Where empty: HS256 with Secrets, RS256 with a
	// KeySetURL; with PublicKeys the ones of their curves, or RS256.
	Algorithms []string
	// MaxTTL is how far ahead exp may lie; 30 days where zero. A token that hardly ends
	// is a password that nobody can change.
	MaxTTL time.Duration
	// Leeway is how far the issuer's clock may differ from ours: for exp, nbf and iat; 30
	// seconds where zero.
	Leeway time.Duration
	// Issuer and one of the Audiences are required in iss and aud where set. Without them
	// any token signed with the key is accepted, whatever it was issued for.
	Issuer    string
	Audiences []string
	// TenantClaims are the claims that may name the tenant, a UUID; tenant_id and
	// tenantId where empty. A token in which two of them differ is refused. A name that
	// no claim has is a path through claims, with dots between their names.
	TenantClaims []string
	// RolesClaims are the claims that may hold roles, each a string of one or more
	// separated by spaces, or a list of strings; roles and role where empty. They can be
	// paths as well.
	RolesClaims []string
	// RoleMap says which roles the values of the RolesClaims give, beside owner, admin,
	// minter and viewer, which it can also give another meaning.
	RoleMap map[string]Role
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
	if len(config.Audiences) > 0 {
		options = append(options, jwt.WithAudience(config.Audiences...))
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
	for _, given := range []bool{len(config.Secrets) > 0, config.KeySetURL != "", len(config.PublicKeys) > 0} {
		if given {
			sources++
		}
	}
	switch {
	case sources != 1:
		return nil, errors.New("jwt: exactly one of a secret, a JWKS URL and a public key is needed, and it must not be empty")
	case len(config.Secrets) > 0:
		orElse("HS256")
		if err := checkAlgorithms(algorithms, hmacAlgorithms, "a secret"); err != nil {
			return nil, err
		}
		var err error
		v.keys, err = secretKeys(config.Secrets, log)
		return algorithms, err
	case config.KeySetURL != "":
		orElse("RS256") // what every OpenID provider has
		if err := checkAlgorithms(algorithms, publicKeyAlgorithms, "a JWKS URL"); err != nil {
			return nil, err
		}
		if err := checkKeySetURL(config.KeySetURL, config.KeySetInsecure); err != nil {
			return nil, err
		}
		if config.KeySetToken != "" && !strings.HasPrefix(strings.ToLower(config.KeySetURL), "https://") {
			return nil, errors.New("jwt: bearer_token_file goes only with a JWKS URL that begins with https://")
		}
		set := newKeySet(config, canonicalNames(algorithms), v.now, log)
		v.keys, v.end = set.source, set.close
	default:
		keys, verifiable, err := publicKeys(config.PublicKeys)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			if len(config.Algorithms) == 0 {
				algorithms = append(algorithms, k.algorithms[0])
			}
		}
		if err := checkAlgorithms(algorithms, verifiable, "this public key"); err != nil {
			return nil, err
		}
		v.keys = keys.source
	}
	return algorithms, nil
}
