package guard

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// How an Assertion spells the tenant.
const (
	// SpelledMinted is as the operator's JWT did that minted the credential, or rotated
	// it last.
	SpelledMinted   = "minted"
	SpelledDashed   = "dashed"
	SpelledDashless = "dashless"
)

// spelling returns how the JWTs of an Assertion spell the tenant of an identity.
func (a *Assertion) spelling(who *keyring.Identity) credential.TenantSpelling {
	switch a.Tenant {
	case SpelledMinted:
		return who.TenantAs
	case SpelledDashless:
		return credential.TenantDashless
	}
	return credential.TenantDashed
}

func checkSpelling(word string) error {
	switch word {
	case "", SpelledMinted, SpelledDashed, SpelledDashless:
		return nil
	}
	return fmt.Errorf("unknown spelling of the tenant %q; known are %s, %s, %s", word, SpelledMinted, SpelledDashed, SpelledDashless)
}

// Serves reports whether requests of a tenant may pass at all.
func (p *Policy) Serves(tenant uuid.UUID) bool {
	return p.Tenants == nil || p.Tenants[tenant]
}

// Takes reports whether the policy has a path for credentials of a kind.
func (p *Policy) Takes(kind credential.Kind) bool {
	for i := range p.Routes {
		if p.Routes[i].kind == kind {
			return true
		}
	}
	return false
}
