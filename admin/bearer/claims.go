package bearer

import (
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// claimReader finds tenants and role in the claims of a verified token.
type claimReader struct {
	tenantClaims  []string
	rolesClaims   []string
	roles         map[string]Role // what a value of a role claim gives
	defaultTenant uuid.UUID
	defaultRole   Role
	// assertedIssuer reports whether an issuer is a guard's; nil: there is none.
	assertedIssuer func(string) bool
}

func newClaimReader(config Config) (claimReader, error) {
	c := claimReader{
		tenantClaims:  config.TenantClaims,
		rolesClaims:   config.RolesClaims,
		defaultTenant: config.DefaultTenant,
		defaultRole:   config.DefaultRole,

		assertedIssuer: config.AssertedIssuer,
	}
	if len(c.tenantClaims) == 0 {
		c.tenantClaims = []string{"tenant_id", "tenantId"}
	}
	if len(c.rolesClaims) == 0 {
		c.rolesClaims = []string{"roles", "role"}
	}
	if c.defaultRole == "" {
		c.defaultRole = RoleNone
	}
	if err := checkRole("default_role", c.defaultRole); err != nil {
		return claimReader{}, err
	}
	var err error
	c.roles, err = withRoleMap(config.RoleMap)
	return c, err
}

func (c *claimReader) identity(claims jwt.MapClaims) (Identity, *Refusal) {
	if c.asserted(claims) {
		return Identity{}, refuse(OfGuard)
	}
	subject, refusal := subject(claims)
	if refusal != nil {
		return Identity{}, refusal
	}
	tenants, refusal := c.tenants(claims)
	if refusal != nil {
		return Identity{}, refusal
	}
	role, err := c.role(claims)
	if err != nil {
		return Identity{}, refuse(BadRoles)
	}
	return Identity{Tenants: tenants, Subject: subject, Role: role}, nil
}

// find returns the claim of a name, which counts as a whole first: issuers have names
// such as https://example.com/roles. Else it is a path, as in realm_access.roles.
func find(claims map[string]any, name string) (any, bool) {
	if claim, ok := claims[name]; ok {
		return claim, true
	}
	for at := range len(name) {
		if name[at] != '.' {
			continue
		}
		if inner, ok := claims[name[:at]].(map[string]any); ok {
			if claim, ok := find(inner, name[at+1:]); ok {
				return claim, true
			}
		}
	}
	return nil, false
}
