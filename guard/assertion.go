package guard

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/hookgate/hookgate/credential"
)

// Assertion says how the guard vouches for a request with a JWT of its own, to an
// upstream that accepts nothing else.
type Assertion struct {
	// Algorithm is HS256, HS384 or HS512.
	Algorithm string
	// Secret is the HMAC key, shared with the upstream.
	Secret []byte
	// TTL is how long a JWT is valid. It is never valid for longer than the credential.
	TTL time.Duration
	// Issuer and Audience are the iss and aud claims.
	Issuer, Audience string
	// Claims are further claims, the same for every credential.
	Claims map[string]string
	// Tenant says how the tenant is spelled: SpelledMinted, SpelledDashed or
	// SpelledDashless; "" is dashed.
	Tenant string
	// Subject is the sub claim of all credentials; "": each has its own.
	Subject string
}

// subjectPrefix begins the sub claim. The admin API refuses it whatever the issuer.
const subjectPrefix = "hookgate:"

// maxAssertions bounds the JWTs that are kept: about 16 MiB. With more credentials
// than that in use, some requests wait the few microseconds that signing takes.
const maxAssertions = 1 << 14

// Asserter makes and keeps the JWTs. Safe for concurrent use.
type Asserter struct {
	Assertion
	method jwt.SigningMethod
	kept   *lru.Cache[uuid.UUID, *asserted]
}

// asserted is the JWT of one credential, and what it was made of.
type asserted struct {
	authorization string
	tenant        uuid.UUID
	tenantAs      credential.TenantSpelling
	expiresAt     int64 // of the credential
	// The JWT is used from issued to until, and replaced from renew on by the first
	// who comes by.
	issued, renew, until time.Time
	renewing             atomic.Bool
}

// NewAsserter checks a and returns its asserter.
func NewAsserter(a Assertion) (*Asserter, error) {
	methods := map[string]jwt.SigningMethod{
		"HS256": jwt.SigningMethodHS256, "HS384": jwt.SigningMethodHS384, "HS512": jwt.SigningMethodHS512,
	}
	switch method := methods[a.Algorithm]; {
	case method == nil:
		return nil, fmt.Errorf("unknown algorithm %q; known are HS256, HS384, HS512", a.Algorithm)
	case len(a.Secret) == 0:
		return nil, errors.New("the secret is empty")
	case a.TTL < time.Second:
		return nil, errors.New("the ttl is below a second")
	case a.Issuer == "" || a.Audience == "":
		return nil, errors.New("issuer and audience must not be empty")
	}
	if err := checkSpelling(a.Tenant); err != nil {
		return nil, err
	}
	for name := range a.Claims {
		if err := checkClaim(name); err != nil {
			return nil, err
		}
	}
	kept, err := lru.New[uuid.UUID, *asserted](maxAssertions)
	if err != nil {
		return nil, err
	}
	a.Secret, a.Claims = slices.Clone(a.Secret), maps.Clone(a.Claims)
	return &Asserter{Assertion: a, method: methods[a.Algorithm], kept: kept}, nil
}

// Authorization returns the Authorization header that vouches for an allowed
// request at the local time now. It is false where the credential ends within this
// second: exp has whole seconds, and a JWT must not outlive its credential.
//
// A credential's requests share a JWT until half of its TTL is over, so each has at
// least a quarter left when it is sent. That takes nothing from a revocation: every
// request is decided on before it gets one.
func (a *Asserter) Authorization(d *Decision, now time.Time) (string, bool, error) {
	if kept, ok := a.kept.Get(d.Credential); ok && kept.fits(d, a.spelling(d.Identity), now) {
		if now.Before(kept.renew) || !kept.renewing.CompareAndSwap(false, true) {
			return kept.authorization, true, nil
		}
	}
	expiry := now.Add(a.TTL).Unix()
	until := now.Add(a.TTL / 4 * 3)
	renew := now.Add(a.TTL / 2)
	if end := d.ExpiresAt / 1000; d.ExpiresAt != 0 && end <= expiry {
		// A newer JWT would end no later than this one.
		expiry, until, renew = end, time.Unix(end, 0), time.Unix(end, 0)
	}
	if expiry <= now.Unix() {
		return "", false, nil
	}
	token, err := a.sign(d, now.Unix(), expiry)
	if err != nil {
		return "", false, err
	}
	made := &asserted{
		authorization: "Bearer " + token, tenant: d.Identity.Tenant, tenantAs: a.spelling(d.Identity), expiresAt: d.ExpiresAt,
		issued: now, renew: renew, until: until,
	}
	a.kept.Add(d.Credential, made)
	return made.authorization, true, nil
}

// fits reports whether the JWT is still true: a credential's end can be moved, its
// tenant spelled anew, and the clock set back.
func (k *asserted) fits(d *Decision, tenantAs credential.TenantSpelling, now time.Time) bool {
	return k.tenant == d.Identity.Tenant && k.tenantAs == tenantAs && k.expiresAt == d.ExpiresAt && !now.Before(k.issued) && now.Before(k.until)
}

func (a *Asserter) sign(d *Decision, issued, expiry int64) (string, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", err
	}
	tenant := a.spelling(d.Identity).Of(d.Identity.Tenant)
	subject := a.Subject
	if subject == "" {
		subject = subjectPrefix + d.Credential.String()
	}
	claims := jwt.MapClaims{
		// Matcher 2.x reads the first spelling that is there, later versions only the second.
		"tenant_id": tenant, "tenantId": tenant,
		"sub": subject,
		"iss": a.Issuer, "aud": a.Audience, "iat": issued, "exp": expiry, "jti": id.String(),
	}
	for name, value := range a.Claims {
		claims[name] = value
	}
	return jwt.NewWithClaims(a.method, claims).SignedString(a.Secret)
}

var (
	// ownClaims are what the guard says itself, and what would narrow or widen it.
	// "tenant" stands for every claim that begins with it: the tenant is the
	// credential's.
	ownClaims = []string{"sub", "iss", "aud", "iat", "exp", "nbf", "jti"}
	// authorityWords are part of the names of claims by which a reader may grant more
	// than posting a webhook: roles, user_roles, scope, permissions, cognito:groups...
	authorityWords = []string{"role", "scope", "scp", "permission", "group", "authorit", "entitlement", "privilege", "admin"}
)

// checkClaim refuses a further claim that says who or what may be done. Names are
// compared as the most lenient reader would: Go's own encoding/json, for one, does
// not tell tenantid from tenantId.
func checkClaim(name string) error {
	plain := strings.Map(func(c rune) rune {
		switch {
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		case c >= 'a' && c <= 'z':
			return c
		}
		return -1
	}, name)
	if plain == "" || len(name) > maxClaimName {
		return fmt.Errorf("%q is no name of a claim", name)
	}
	if slices.Contains(ownClaims, plain) || strings.HasPrefix(plain, "tenant") {
		return fmt.Errorf("the claim %s is the guard's own", name)
	}
	for _, word := range authorityWords {
		if strings.Contains(plain, word) {
			return fmt.Errorf("the claim %s would grant something; the JWT says who posts, never what they may do", name)
		}
	}
	return nil
}

const maxClaimName = 128
