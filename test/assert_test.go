package test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

const matcherSecret = "the-secret-shared-with-matcher-0123456789"

// vouching is a guard block with assert_jwt. Secrets are written as they are only in
// tests.
func vouching(lines ...string) string {
	return "assert_jwt {\n\t\t\tsecret " + matcherSecret + "\n\t\t\t" + strings.Join(lines, "\n\t\t\t") + "\n\t\t}"
}

// asserted verifies the only Authorization header of a request as Matcher would,
// and returns the token and its claims.
func asserted(t testing.TB, got received, algorithm string) (string, jwt.MapClaims) {
	t.Helper()
	var values []string
	for name, list := range got.header {
		if normal(name) == "authorization" {
			values = append(values, list...)
		}
	}
	if len(values) != 1 {
		t.Fatalf("Authorization: %q", values)
	}
	token, ok := strings.CutPrefix(values[0], "Bearer ")
	if !ok {
		t.Fatalf("Authorization: %q", values)
	}
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return []byte(matcherSecret), nil },
		jwt.WithValidMethods([]string{algorithm}), jwt.WithExpirationRequired())
	if err != nil {
		t.Fatalf("%v: %s", err, token)
	}
	return token, claims
}

// TestAssertedJWT: whatever the client sends, Matcher gets the guard's word and no
// other.
func TestAssertedJWT(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		u := newUpstream(t)
		g := start(t, config{store: s, upstream: u.addr, guard: []string{
			vouching("algorithm HS512", "ttl 30s", "issuer hooks", "audience reconciliation", "claim type application"),
		}})
		admin := g.operator(t, tenantA, "admin")
		c, w := admin.mintCallback("JIRA"), admin.mintWebhook("pluggy")
		other := g.operator(t, tenantB, "admin").mintCallback("JIRA")
		for _, test := range []struct {
			name  string
			lines []string
		}{
			{"plain", nil},
			{"own Authorization", []string{"Authorization: Bearer forged", "authorization: Basic forged"}},
			{"own Authorization, spelled oddly", []string{"AUTHORIZATION: forged", "Authorization : forged"}[:1]},
			{"nominated", []string{"Connection: Authorization"}},
			{"nominated and sent", []string{"Authorization: Bearer forged", "Connection: close, authorization"}},
			{"nominated twice", []string{"Connection: keep-alive", "connection: AUTHORIZATION, X-Tenant-Id"}},
			{"nominated by others", []string{"Proxy-Connection: Authorization", "Keep-Alive: Authorization", "TE: trailers"}},
		} {
			t.Run(test.name, func(t *testing.T) {
				for _, c := range []credential{c, w, other} {
					tenant := tenantA
					if c == other {
						tenant = tenantB
					}
					conn := g.dial(t)
					conn.write(append(requestOf(c), append(test.lines, "Content-Length: 2")...)...)
					conn.Write([]byte("{}"))
					wantStatus(t, conn.answer(http.MethodPost), http.StatusOK)
					got := u.one(t)
					if strings.Contains(got.String(), "forged") {
						t.Errorf("at the upstream:\n%s", got)
					}
					_, claims := asserted(t, got, "HS512")
					for name, want := range map[string]any{
						"tenant_id": tenant, "tenantId": tenant, "sub": "hookgate:" + c.id, "iss": "hooks", "aud": "reconciliation", "type": "application",
					} {
						if claims[name] != want {
							t.Errorf("%s: %v, want %v", name, claims[name], want)
						}
					}
					if len(claims) != 9 {
						t.Errorf("claims: %v", claims)
					}
					wantIdentity(t, got, tenant, c.id, identityOf(c))
				}
			})
		}
		t.Run("trailer", func(t *testing.T) {
			conn := g.dial(t)
			conn.write(append(requestOf(c), "Transfer-Encoding: chunked", "TE: trailers", "Trailer: Authorization")...)
			conn.write("2", "{}", "0", "Authorization: forged")
			wantStatus(t, conn.answer(http.MethodPost), http.StatusOK)
			got := u.one(t)
			asserted(t, got, "HS512")
			if strings.Contains(got.String(), "forged") {
				t.Errorf("at the upstream:\n%s", got)
			}
		})
		t.Run("kept", func(t *testing.T) {
			g.use(t, c)
			first, _ := asserted(t, u.one(t), "HS512")
			g.use(t, c)
			if again, _ := asserted(t, u.one(t), "HS512"); again != first {
				t.Error("every request is signed anew")
			}
			// Its JWT is good for many seconds yet; the credential is not.
			admin.revoke(c)
			wantProblem(t, g.use(t, c), http.StatusUnauthorized, "HKG-1401")
			u.wantNothing(t)
		})
	})
}

// TestAssertedJWTOpensNoAdminAPI, although it is signed with a secret that the
// admin API accepts and a token without a role is an admin's there.
func TestAssertedJWTOpensNoAdminAPI(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, jwt: []string{"default_role admin"}, guard: []string{
		"assert_jwt {\n\t\t\tsecret {env.HOOKGATE_TEST_SECRET}\n\t\t\tissuer guard-one\n\t\t}",
	}})
	admin := g.operator(t, tenantA, "admin")
	g.use(t, admin.mintCallback(""))
	got := u.one(t)
	a := g.get(t, g.Admin+callbackCredentials, "Authorization: "+got.header.Get("Authorization"))
	wantProblem(t, a, http.StatusUnauthorized, "HKG-2401")

	sign := func(claims jwt.MapClaims) string {
		claims["tenant_id"] = tenantA
		return "Authorization: Bearer " + hookgatetest.SignJWT(t, claims)
	}
	for _, claims := range []jwt.MapClaims{{"iss": "guard-one", "sub": "alice"}, {"iss": "another", "sub": "hookgate:x"}} {
		wantProblem(t, g.get(t, g.Admin+callbackCredentials, sign(claims)), http.StatusUnauthorized, "HKG-2401")
	}
	for _, claims := range []jwt.MapClaims{{}, {"iss": "hookgate", "sub": "alice"}} {
		wantStatus(t, g.get(t, g.Admin+callbackCredentials, sign(claims)), http.StatusOK)
	}
}
