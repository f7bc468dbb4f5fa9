package guard

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

var assertionSecret = []byte("0123456789abcdef0123456789abcdef")

func newAsserter(t testing.TB, change func(*Assertion)) *Asserter {
	t.Helper()
	a := Assertion{Algorithm: "HS256", Secret: assertionSecret, TTL: time.Minute, Issuer: "hookgate", Audience: "matcher"}
	if change != nil {
		change(&a)
	}
	asserter, err := NewAsserter(a)
	if err != nil {
		t.Fatal(err)
	}
	return asserter
}

func allowed() *Decision {
	return &Decision{Outcome: Allowed, Credential: callbackID, Identity: &callbackUser}
}

func (a *Asserter) must(t testing.TB, d *Decision, now time.Time) string {
	t.Helper()
	authorization, ok, err := a.Authorization(d, now)
	if err != nil || !ok {
		t.Fatalf("no JWT: %v, %v", ok, err)
	}
	return authorization
}

// claimsOf verifies a JWT as its receiver would at a time.
func claimsOf(t testing.TB, authorization, algorithm string, at time.Time) jwt.MapClaims {
	t.Helper()
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	if !ok {
		t.Fatalf("Authorization: %s", authorization)
	}
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return assertionSecret, nil },
		jwt.WithValidMethods([]string{algorithm}), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithIssuer("hookgate"), jwt.WithAudience("matcher"), jwt.WithTimeFunc(func() time.Time { return at }))
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestAssertedClaims(t *testing.T) {
	for _, algorithm := range []string{"HS256", "HS384", "HS512"} {
		a := newAsserter(t, func(a *Assertion) {
			a.Algorithm, a.Claims = algorithm, map[string]string{"type": "application", "owner": "lerian"}
		})
		claims := claimsOf(t, a.must(t, allowed(), now), algorithm, now)
		if _, err := uuid.Parse(claims["jti"].(string)); err != nil {
			t.Error(err)
		}
		delete(claims, "jti")
		want := jwt.MapClaims{
			"tenant_id": tenant.String(), "tenantId": tenant.String(), "sub": "hookgate:" + callbackID.String(),
			"iss": "hookgate", "aud": "matcher", "iat": float64(now.Unix()), "exp": float64(now.Unix() + 60),
			"type": "application", "owner": "lerian",
		}
		if len(claims) != len(want) {
			t.Errorf("claims %v", claims)
		}
		for name, value := range want {
			if claims[name] != value {
				t.Errorf("%s: %v, want %v", name, claims[name], value)
			}
		}
	}
}

func TestAssertedTenantAndSubject(t *testing.T) {
	dashless := strings.ReplaceAll(tenant.String(), "-", "")
	for _, tc := range []struct {
		word   string
		minted credential.TenantSpelling
		want   string
	}{
		{"", credential.TenantDashless, tenant.String()},
		{SpelledDashed, credential.TenantDashless, tenant.String()},
		{SpelledDashless, "", dashless},
		{SpelledMinted, "", tenant.String()},
		{SpelledMinted, credential.TenantDashless, dashless},
	} {
		a := newAsserter(t, func(a *Assertion) { a.Tenant, a.Subject = tc.word, "hooks" })
		d := allowed()
		first := a.must(t, d, now)
		who := callbackUser
		who.TenantAs = tc.minted
		d.Identity = &who
		authorization := a.must(t, d, now)
		claims := claimsOf(t, authorization, "HS256", now)
		if claims["tenant_id"] != tc.want || claims["tenantId"] != tc.want || claims["sub"] != "hooks" {
			t.Errorf("%q, minted as %q: %v", tc.word, tc.minted, claims)
		}
		if same := first == authorization; same != (tc.word != SpelledMinted || tc.minted == "") {
			t.Errorf("%q: a tenant that is spelled anew has the old JWT: %v", tc.word, same)
		}
	}
	if _, err := NewAsserter(Assertion{Algorithm: "HS256", Secret: assertionSecret, TTL: time.Minute, Issuer: "i", Audience: "a", Tenant: "upper"}); err == nil {
		t.Error("an unknown spelling is taken")
	}
}

func TestAssertionIsKeptAndRenewed(t *testing.T) {
	a := newAsserter(t, nil)
	first := a.must(t, allowed(), now)
	for _, tc := range []struct {
		at   time.Duration
		same bool
	}{
		{0, true}, {30*time.Second - 1, true}, {30 * time.Second, false},
	} {
		at := now.Add(tc.at)
		got := a.must(t, allowed(), at)
		if (got == first) != tc.same {
			t.Errorf("after %s: same %v", tc.at, got == first)
		}
		claimsOf(t, got, "HS256", at.Add(15*time.Second-1)) // a quarter is left
	}
	if a.must(t, allowed(), now.Add(-time.Second)) == first {
		t.Error("used before it was issued")
	}
	other := allowed()
	other.Credential = webhookID
	if a.must(t, other, now) == a.must(t, allowed(), now) {
		t.Error("two credentials share a JWT")
	}
}

// TestAssertionFollowsTheCredential: what was made for a credential as it was is
// not used for what became of it.
func TestAssertionFollowsTheCredential(t *testing.T) {
	a := newAsserter(t, nil)
	a.must(t, allowed(), now)
	moved := allowed()
	moved.ExpiresAt = now.Add(10 * time.Second).UnixMilli()
	if exp := claimsOf(t, a.must(t, moved, now), "HS256", now)["exp"]; exp != float64(now.Unix()+10) {
		t.Errorf("exp %v", exp)
	}
	elsewhere := allowed()
	elsewhere.Identity = &keyring.Identity{Tenant: uuid.MustParse("22222222-2222-2222-2222-222222222222"), Kind: credential.KindCallback}
	if got := claimsOf(t, a.must(t, elsewhere, now), "HS256", now)["tenant_id"]; got != elsewhere.Identity.Tenant.String() {
		t.Errorf("tenant %v", got)
	}
}

func TestAssertionNeverOutlivesTheCredential(t *testing.T) {
	a := newAsserter(t, nil)
	for _, left := range []time.Duration{
		time.Millisecond, 999 * time.Millisecond, time.Second, 1500 * time.Millisecond, 59 * time.Second, time.Minute, time.Minute + time.Millisecond, time.Hour,
	} {
		for _, fraction := range []time.Duration{0, 700 * time.Millisecond} {
			at := now.Add(fraction)
			d := allowed()
			d.ExpiresAt = at.Add(left).UnixMilli()
			authorization, ok, err := a.Authorization(d, at)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				if d.ExpiresAt/1000 > at.Unix() {
					t.Errorf("%s left at %s: no JWT", left, fraction)
				}
				continue
			}
			exp := int64(claimsOf(t, authorization, "HS256", at)["exp"].(float64))
			if exp*1000 > d.ExpiresAt || exp > at.Unix()+60 {
				t.Errorf("%s left at %s: ends %d ms after the credential", left, fraction, exp*1000-d.ExpiresAt)
			}
			// Renewing what cannot be prolonged would sign for every request.
			if last := at.Add(min(left, 30*time.Second) - time.Millisecond); last.Unix() < exp && a.must(t, d, last) != authorization {
				t.Errorf("%s left at %s: signed twice", left, fraction)
			}
		}
	}
}

// TestAssertionIsSignedOnce: however many requests come when a JWT is to be
// renewed, one of them signs.
func TestAssertionIsSignedOnce(t *testing.T) {
	a := newAsserter(t, nil)
	first := a.must(t, allowed(), now)
	later := now.Add(31 * time.Second)
	results := make([]string, 100)
	var done sync.WaitGroup
	for i := range results {
		done.Go(func() { results[i], _, _ = a.Authorization(allowed(), later) })
	}
	done.Wait()
	distinct := map[string]bool{}
	for _, got := range results {
		distinct[got] = true
	}
	delete(distinct, first)
	if len(distinct) != 1 {
		t.Errorf("%d were signed", len(distinct))
	}
}

func TestAssertionsKeptAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("signs many")
	}
	a := newAsserter(t, nil)
	for range maxAssertions + 100 {
		d := allowed()
		d.Credential = uuid.New()
		a.must(t, d, now)
	}
	if n := a.kept.Len(); n != maxAssertions {
		t.Errorf("%d are kept", n)
	}
}

func TestAssertionRefusesToLoad(t *testing.T) {
	claims := func(names ...string) func(*Assertion) {
		return func(a *Assertion) {
			a.Claims = map[string]string{}
			for _, name := range names {
				a.Claims[name] = "x"
			}
		}
	}
	for name, change := range map[string]func(*Assertion){
		"no secret":      func(a *Assertion) { a.Secret = nil },
		"no algorithm":   func(a *Assertion) { a.Algorithm = "" },
		"none":           func(a *Assertion) { a.Algorithm = "none" },
		"RS256":          func(a *Assertion) { a.Algorithm = "RS256" },
		"no ttl":         func(a *Assertion) { a.TTL = 0 },
		"no issuer":      func(a *Assertion) { a.Issuer = "" },
		"no audience":    func(a *Assertion) { a.Audience = "" },
		"nameless claim": claims(""),
	} {
		a := Assertion{Algorithm: "HS256", Secret: assertionSecret, TTL: time.Minute, Issuer: "hookgate", Audience: "matcher"}
		change(&a)
		if _, err := NewAsserter(a); err == nil {
			t.Errorf("%s: it loads", name)
		}
	}
	for _, name := range []string{
		"tenant_id", "tenantId", "tenantid", "TENANT-ID", "tenant_slug", "tenant", "sub", "Sub", "iss", "aud", "iat", "exp", "nbf", "jti",
		"role", "roles", "Roles", "user_roles", "scope", "scopes", "scp", "permissions", "permission", "groups", "cognito:groups", "authorities",
		"https://example.com/roles", "realm_access.roles", "entitlements", "privileges", "is_admin", "r-o-l-e", "123", strings.Repeat("a", 129),
	} {
		a := Assertion{Algorithm: "HS256", Secret: assertionSecret, TTL: time.Minute, Issuer: "hookgate", Audience: "matcher"}
		claims("type", name)(&a)
		if _, err := NewAsserter(a); err == nil {
			t.Errorf("the claim %q is accepted", name)
		}
	}
}

func BenchmarkAssertion(b *testing.B) {
	a := newAsserter(b, nil)
	d := allowed()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			a.Authorization(d, now)
		}
	})
}
