package credential

import (
	"strings"

	"github.com/google/uuid"
)

// TenantSpelling is how somebody writes the UUID of a tenant, in as few bytes as there
// are ways to. A tenant is one whatever its spelling; Matcher 2.x takes it for a name,
// of which each spelling is another.
type TenantSpelling string

// The usual spellings. Any other is the text itself.
const (
	TenantDashed        TenantSpelling = "" // and lower-case, as we write it
	TenantDashless      TenantSpelling = "n"
	TenantDashedUpper   TenantSpelling = "U"
	TenantDashlessUpper TenantSpelling = "N"
)

// SpellingOf returns how text spells a tenant. Text that is none of its spellings counts
// as the dashed one.
func SpellingOf(text string, tenant uuid.UUID) TenantSpelling {
	for _, s := range [...]TenantSpelling{TenantDashed, TenantDashless, TenantDashedUpper, TenantDashlessUpper} {
		if s.Of(tenant) == text {
			return s
		}
	}
	if s := TenantSpelling(text); s.Of(tenant) == text {
		return s
	}
	return TenantDashed
}

// Of returns the tenant in this spelling. One that is not the tenant's, which a damaged
// record might hold, never makes it another tenant.
func (s TenantSpelling) Of(tenant uuid.UUID) string {
	dashed := tenant.String()
	switch s {
	case TenantDashed:
		return dashed
	case TenantDashless:
		return strings.ReplaceAll(dashed, "-", "")
	case TenantDashedUpper:
		return strings.ToUpper(dashed)
	case TenantDashlessUpper:
		return strings.ToUpper(strings.ReplaceAll(dashed, "-", ""))
	}
	if plain := strings.ToLower(string(s)); plain == dashed || plain == strings.ReplaceAll(dashed, "-", "") {
		return string(s)
	}
	return dashed
}
