package admin

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
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

// rotate replaces a credential by one that a guard lets through. Revoking and finishing
// always go: they take away, and never wait for a configuration.
func (a *admin) rotate(ctx context.Context, ref store.Ref, how store.Rotation) (credential.Credential, string, error) {
	kind := ref.Kind
	if kind == "" && !a.servesAll(ref.Tenant) {
		old, err := a.store.Get(ctx, ref)
		if err != nil {
			return credential.Credential{}, "", err
		}
		kind = old.Kind
	}
	if err := a.checkTenant(ref.Tenant, kind); err != nil {
		return credential.Credential{}, "", err
	}
	return a.store.Rotate(ctx, ref, how)
}

// servesAll reports whether every guard serves a tenant.
func (a *admin) servesAll(tenant uuid.UUID) bool {
	return !slices.ContainsFunc(a.guards(), func(p *guard.Policy) bool { return !p.Serves(tenant) })
}

// tenantProblems are why a tenant can have no new credential.
var tenantProblems = []problem.Problem{problem.TenantNotServed, problem.Quota}
