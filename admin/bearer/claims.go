package bearer

import (
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// claimReader finds tenant and role in the claims of a verified token.
type claimReader struct {
	tenantClaims  []string
	rolesClaims   []string
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
	switch c.defaultRole {
	case "":
		c.defaultRole = RoleNone
	case RoleNone, RoleViewer, RoleAdmin:
	default:
		return claimReader{}, fmt.Errorf("jwt: unknown default role %q; known are none, viewer, admin", c.defaultRole)
	}
	return c, nil
}

func (c *claimReader) operator(claims jwt.MapClaims) (Operator, *Refusal) {
	if c.asserted(claims) {
		return Operator{}, refuse(OfGuard)
	}
	subject, refusal := subject(claims)
	if refusal != nil {
		return Operator{}, refusal
	}
	tenant, refusal := c.tenant(claims)
	if refusal != nil {
		return Operator{}, refusal
	}
	role, err := c.role(claims)
	if err != nil {
		return Operator{}, refuse(BadRoles)
	}
	return Operator{Tenant: tenant, TenantAs: c.spelling(claims, tenant), Subject: subject, Role: role}, nil
}

// tenant reads the tenant. A claim that is there must name one: falling back from a
// broken claim to the default would put one tenant's operator into another's data.
func (c *claimReader) tenant(claims jwt.MapClaims) (uuid.UUID, *Refusal) {
	var tenant uuid.UUID
	for _, name := range c.tenantClaims {
		claim, ok := find(claims, name)
		if !ok {
			continue
		}
		text, _ := claim.(string)
		named, err := ParseTenant(text)
		if err != nil {
			return uuid.Nil, refuse(BadTenant)
		}
		if tenant != uuid.Nil && tenant != named {
			return uuid.Nil, refuse(TwoTenants)
		}
		tenant = named
	}
	if tenant == uuid.Nil {
		tenant = c.defaultTenant
	}
	if tenant == uuid.Nil {
		return uuid.Nil, refuse(NoTenant)
	}
	return tenant, nil
}

// spelling returns how the first claim that is there spells the tenant.
func (c *claimReader) spelling(claims jwt.MapClaims, tenant uuid.UUID) credential.TenantSpelling {
	for _, name := range c.tenantClaims {
		if claim, ok := find(claims, name); ok {
			text, _ := claim.(string)
			return credential.SpellingOf(text, tenant)
		}
	}
	return credential.TenantDashed
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

var errNotTenant = errors.New("not the UUID of a tenant")

// ParseTenant reads a UUID, dashed or not, in either case: issuers write one tenant
// in all these ways. uuid.Parse alone takes braces and urn:uuid: too.
func ParseTenant(text string) (uuid.UUID, error) {
	if len(text) != 36 && len(text) != 32 {
		return uuid.Nil, errNotTenant
	}
	tenant, err := uuid.Parse(text)
	if err != nil || tenant == uuid.Nil {
		return uuid.Nil, errNotTenant
	}
	return tenant, nil
}

var errNotRoles = errors.New("not a list of roles")

// role returns the strongest role that the claims give.
func (c *claimReader) role(claims jwt.MapClaims) (Role, error) {
	role, found := RoleNone, false
	for _, name := range c.rolesClaims {
		claim, ok := find(claims, name)
		if !ok {
			continue
		}
		found = true
		names, err := roleNames(claim)
		if err != nil {
			return RoleNone, err
		}
		for _, name := range names {
			switch {
			case name == "owner" || name == "admin":
				role = RoleAdmin
			case name == "viewer" && role == RoleNone:
				role = RoleViewer
			}
		}
	}
	if !found {
		return c.defaultRole, nil
	}
	return role, nil
}

func roleNames(claim any) ([]string, error) {
	switch claim := claim.(type) {
	case string:
		return strings.Fields(claim), nil
	case []any:
		names := make([]string, 0, len(claim))
		for _, item := range claim {
			name, ok := item.(string)
			if !ok {
				return nil, errNotRoles
			}
			names = append(names, name)
		}
		return names, nil
	}
	return nil, errNotRoles
}
