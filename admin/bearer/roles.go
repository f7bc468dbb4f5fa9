package bearer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// Role is what an operator may do.
type Role string

// The roles. The claims owner and admin give RoleAdmin, the others the role of their name.
const (
	RoleNone   Role = "none"
	RoleViewer Role = "viewer"
	RoleMinter Role = "minter"
	RoleAdmin  Role = "admin"
)

// Right is what an operation takes of a role.
type Right string

// The rights.
const (
	// Read: credentials. ReadAll: whatever else there is to read, the audit log above all.
	Read    Right = "read credentials"
	ReadAll Right = "read all"
	// Mint: new tokens, by minting and by rotating, and ends of grace periods.
	Mint Right = "mint"
	// Change: everything else that changes something.
	Change Right = "change"
)

// rights of the roles. Whoever mints for a pipeline cannot take a vendor's token away, but
// by rotating it, and learns nothing of what others do.
var rights = map[Role][]Right{
	RoleViewer: {Read, ReadAll},
	RoleMinter: {Read, Mint},
	RoleAdmin:  {Read, ReadAll, Mint, Change},
}

// May reports whether a role has a right.
func (r Role) May(right Right) bool { return slices.Contains(rights[r], right) }

// strength orders the roles: of those that a token gives the strongest counts.
var strength = []Role{RoleNone, RoleViewer, RoleMinter, RoleAdmin}

func checkRole(word string, role Role) error {
	if !slices.Contains(strength, role) {
		return fmt.Errorf("jwt: unknown role %q in %s; known are none, viewer, minter, admin", role, word)
	}
	return nil
}

// roleOf is what the values of role claims mean, unless a map says otherwise.
var roleOf = map[string]Role{"owner": RoleAdmin, "admin": RoleAdmin, "minter": RoleMinter, "viewer": RoleViewer}

// withRoleMap returns what the values of role claims mean.
func withRoleMap(mapped map[string]Role) (map[string]Role, error) {
	all := maps.Clone(roleOf)
	for value, role := range mapped {
		if value == "" {
			return nil, errors.New("jwt: role_map of an empty value")
		}
		if err := checkRole("role_map", role); err != nil {
			return nil, err
		}
		all[value] = role
	}
	return all, nil
}

var errNotRoles = errors.New("not a list of roles")

// role returns the strongest role that the claims give.
func (c *claimReader) role(claims jwt.MapClaims) (Role, error) {
	strongest, found := 0, false
	for _, name := range c.rolesClaims {
		claim, ok := find(claims, name)
		if !ok {
			continue
		}
		found = true // though it be null: no default stands in for what an issuer says
		if claim == nil {
			continue
		}
		names, err := c.roleNames(claim)
		if err != nil {
			return RoleNone, err
		}
		for _, name := range names {
			strongest = max(strongest, slices.Index(strength, c.roles[name]))
		}
	}
	if !found {
		return c.defaultRole, nil
	}
	return strength[strongest], nil
}

// roleNames returns the values of a claim: the items of a list, or the words of a text. A
// text that is mapped as a whole is one value, spaces and all.
func (c *claimReader) roleNames(claim any) ([]string, error) {
	switch claim := claim.(type) {
	case string:
		if _, whole := c.roles[claim]; whole {
			return []string{claim}, nil
		}
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
