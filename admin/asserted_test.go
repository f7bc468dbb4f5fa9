package admin_test

import (
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/admin/bearer"
)

// TestGuardsTokensAreNoOperators: with a default role a guard's JWT, which has the
// right secret and a tenant, would be enough to mint.
func TestGuardsTokensAreNoOperators(t *testing.T) {
	guards := map[string]bool{}
	s := newServer(t, func(c *admin.Config) {
		c.JWT.DefaultRole = bearer.RoleAdmin
		c.JWT.AssertedIssuer = func(issuer string) bool { return guards[issuer] }
	})
	guards["hookgate"] = true // after the API was set up
	for _, tc := range []struct {
		name   string
		claims jwt.MapClaims
		status int
	}{
		{"operator", jwt.MapClaims{"sub": "alice", "iss": "https://id.example.com"}, 200},
		{"no issuer", jwt.MapClaims{"sub": "alice"}, 200},
		{"empty issuer", jwt.MapClaims{"iss": ""}, 200},
		{"no subject", jwt.MapClaims{}, 200},
		{"similar issuer", jwt.MapClaims{"iss": "Hookgate"}, 200},
		{"similar subject", jwt.MapClaims{"sub": "Hookgate"}, 200},
		{"the server itself", jwt.MapClaims{"sub": "hookgate"}, 401},
		{"a name like the server's", jwt.MapClaims{"sub": "hookgate-admin"}, 401},
		{"empty subject", jwt.MapClaims{"sub": ""}, 401},
		{"a number", jwt.MapClaims{"sub": 7}, 401},
		{"null", jwt.MapClaims{"sub": nil}, 401},
		{"guard", jwt.MapClaims{"sub": "hookgate:0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59", "iss": "hookgate"}, 401},
		{"guard with a role", jwt.MapClaims{"sub": "alice", "iss": "hookgate", "roles": "admin"}, 401},
		{"guard of another process", jwt.MapClaims{"sub": "hookgate:0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59", "iss": "elsewhere"}, 401},
		{"guard's subject alone", jwt.MapClaims{"sub": "hookgate:"}, 401},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.claims["tenant_id"] = tenantA.String()
			a := s.within(t).as(tokenFor(t, tc.claims), "GET", callbacksPath, "")
			if tc.status == 401 {
				checkProblem(t, a, 401, "HKG-2401")
				if a.Header.Get("WWW-Authenticate") == "" {
					t.Error("no WWW-Authenticate")
				}
			}
			if a.StatusCode != tc.status {
				t.Errorf("status %d, want %d: %s", a.StatusCode, tc.status, a.body)
			}
		})
	}
}
