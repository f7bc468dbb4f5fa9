package admin

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

// rotateAtMatcher has Matcher replace a credential, and keeps the new one. handled is false
// where Matcher does not know the credential: then it is rotated here alone.
func (a *admin) rotateAtMatcher(ctx context.Context, ref store.Ref, r store.Rotation) (m made, handled bool, err error) {
	if err := a.store.Replayed(ctx, ref.Tenant); err != nil {
		return made{}, false, err
	}
	old, err := a.store.Get(ctx, ref)
	if err != nil || old.Kind == credential.KindAPI || old.Kind == credential.KindCallback && !old.AtMatcher {
		return made{}, false, err
	}
	if err := a.checkTenant(ref.Tenant, old.Kind); err != nil {
		return made{}, true, err
	}
	if err := a.rotatableAtMatcher(ctx, &old, r); err != nil {
		return made{}, true, err
	}
	if err := a.beforeMatcher(ctx, ref.Tenant); err != nil {
		return made{}, true, err
	}
	ctx, cancel := settling(ctx)
	defer cancel()
	if m, err = a.successorOf(ctx, &old); err != nil {
		return made{}, true, err
	}
	token := m.foreign()
	r.Foreign = &token
	if m.credential, _, err = a.store.Rotate(ctx, ref, r); err != nil {
		if old.Kind == credential.KindCallback {
			a.revokeIfThere(ctx, ref) // as Matcher has done
		}
		return made{}, true, a.notKept(ctx, &m, err)
	}
	return m, true, nil
}

// successorOf has Matcher mint what takes a credential's place. It revokes a callback
// credential itself in the same step; it has no rotation of webhook tokens, so one is minted
// anew and the old one ends here alone.
func (a *admin) successorOf(ctx context.Context, old *credential.Credential) (made, error) {
	if old.Kind == credential.KindWebhook {
		return a.mintedThere(ctx, old.Spec())
	}
	answer, err := a.mirror.Rotate(ctx, caller(ctx), old.ID)
	if err != nil {
		return made{}, err
	}
	return a.read(ctx, answer, old.Kind)
}

// rotatableAtMatcher tells why a credential cannot be rotated, before Matcher is asked:
// what Matcher has done cannot be undone.
func (a *admin) rotatableAtMatcher(ctx context.Context, old *credential.Credential, r store.Rotation) error {
	if r.Grace > 0 && old.Kind == credential.KindCallback {
		return refuse(problem.Invalid).at("body.gracePeriodSeconds", "Matcher revokes the old credential at once: there is no grace period")
	}
	spec := old.Spec()
	spec.SecretHash = r.SecretHash
	if err := spec.Validate(); err != nil {
		return err
	}
	switch old.Status(a.store.Now()) {
	case credential.StatusActive:
	case credential.StatusGrace:
		return store.ErrGraceOpen
	case credential.StatusDisabled:
		return store.ErrDisabled
	default:
		return store.ErrInactive
	}
	if old.Supersedes == uuid.Nil || r.Force {
		return nil
	}
	before, err := a.store.Get(ctx, store.Ref{Tenant: old.Tenant, ID: old.Supersedes})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err == nil && before.InGrace(a.store.Now()):
		return store.ErrGraceOpen
	}
	return err
}

// adopt has Matcher rotate a credential that is unknown here, and keeps the new one.
func (a *admin) adopt(ctx context.Context, ref store.Ref) (made, error) {
	if err := a.checkTenant(ref.Tenant, ref.Kind); err != nil {
		return made{}, err
	}
	if err := a.beforeMatcher(ctx, ref.Tenant); err != nil {
		return made{}, err
	}
	ctx, cancel := settling(ctx)
	defer cancel()
	answer, err := a.mirror.Rotate(ctx, caller(ctx), ref.ID)
	if err != nil {
		return made{}, err
	}
	m, err := a.read(ctx, answer, ref.Kind)
	if err != nil {
		return made{}, err
	}
	spec := credential.Spec{Tenant: ref.Tenant, Kind: ref.Kind, Label: m.secret.ExternalSystem}
	if spec.Validate() != nil {
		spec.Label = "" // Matcher takes texts that a header and a log cannot have
	}
	return a.keep(ctx, m, spec)
}
