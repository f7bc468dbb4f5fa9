package admin

import (
	"context"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
)

// checkTenant keeps a credential from being made that no guard would let through for its
// tenant's sake. Where no guard takes the kind at all, nothing is said here.
func (a *admin) checkTenant(tenant uuid.UUID, kind credential.Kind) error {
	taken := false
	for _, policy := range a.guards() {
		if !policy.Takes(kind) {
			continue
		}
		if policy.Serves(tenant) {
			return nil
		}
		taken = true
	}
	if taken {
		return refuse(problem.TenantNotServed)
	}
	return nil
}

// mint mints a credential that a guard lets through.
func (a *admin) mint(ctx context.Context, spec credential.Spec) (credential.Credential, string, error) {
	if err := a.checkTenant(spec.Tenant, spec.Kind); err != nil {
		return credential.Credential{}, "", err
	}
	return a.store.Mint(ctx, spec)
}

// tenantProblems are why a tenant can have no new credential.
var tenantProblems = []problem.Problem{problem.TenantNotServed, problem.Quota}
