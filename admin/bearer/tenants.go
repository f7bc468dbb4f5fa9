package bearer

import (
	"errors"
	"slices"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// Tenancy is a tenant that somebody may act for.
type Tenancy struct {
	Tenant uuid.UUID
	// As is how the token spells it.
	As credential.TenantSpelling
}

// In returns the operator of a request, for the values of its X-Hookgate-Tenant. It only
// chooses: what a header says alone proves nothing. One that names no tenant of the identity is refused even where there is nothing to choose: whoever sent
// it means another tenant than the one that they would change.
func (i Identity) In(header []string) (Operator, *Refusal) {
	who := Operator{Subject: i.Subject, Role: i.Role, Token: i.Token, Until: i.Until}
	switch {
	case len(i.Tenants) == 0:
		return Operator{}, refuse(NoTenant)
	case len(header) > 1:
		return Operator{}, refuse(WrongChoice)
	case len(header) == 0 && len(i.Tenants) > 1:
		return Operator{}, refuse(NoChoice)
	case len(header) == 0:
		who.Tenant, who.TenantAs = i.Tenants[0].Tenant, i.Tenants[0].As
		return who, nil
	}
	tenant, err := ParseTenant(header[0])
	at := slices.IndexFunc(i.Tenants, func(t Tenancy) bool { return t.Tenant == tenant })
	if err != nil || at < 0 {
		return Operator{}, refuse(WrongChoice)
	}
	who.Tenant, who.TenantAs = tenant, i.Tenants[at].As
	return who, nil
}

// tenants reads the tenants. A claim that is there must name them: falling back from a
// broken claim to the default would put one tenant's operator into another's data.
func (c *claimReader) tenants(claims jwt.MapClaims) ([]Tenancy, *Refusal) {
	var all []Tenancy
	found := false
	for _, name := range c.tenantClaims {
		claim, ok := find(claims, name)
		if !ok {
			continue
		}
		named, ok := tenanciesIn(claim)
		switch {
		case !ok:
			return nil, refuse(BadTenant)
		case found && !sameTenants(all, named):
			return nil, refuse(TwoTenants)
		case !found: // the first claim says how they are spelled
			all, found = named, true
		}
	}
	if !found && c.defaultTenant != uuid.Nil {
		all = []Tenancy{{Tenant: c.defaultTenant}}
	}
	return all, nil
}

// tenanciesIn reads one claim: a text, or a list of texts. A tenant that is named twice
// counts once.
func tenanciesIn(claim any) ([]Tenancy, bool) {
	items, list := claim.([]any)
	if !list {
		items = []any{claim}
	}
	all := make([]Tenancy, 0, len(items))
	for _, item := range items {
		text, _ := item.(string)
		tenant, err := ParseTenant(text)
		if err != nil {
			return nil, false
		}
		if !hasTenant(all, tenant) {
			all = append(all, Tenancy{tenant, credential.SpellingOf(text, tenant)})
		}
	}
	return all, true
}

func hasTenant(all []Tenancy, tenant uuid.UUID) bool {
	return slices.ContainsFunc(all, func(t Tenancy) bool { return t.Tenant == tenant })
}

func sameTenants(a, b []Tenancy) bool {
	return len(a) == len(b) && !slices.ContainsFunc(b, func(t Tenancy) bool { return !hasTenant(a, t.Tenant) })
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
