package admin

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

type (
	rotateCredentialInput struct {
		ID   credentialID `path:"id" format:"uuid"`
		Body *api.RotateCredentialRequest
	}
	endCredentialInput struct {
		ID   credentialID `path:"id" format:"uuid"`
		Body *api.ChangeReasonRequest
	}
)

func (a *admin) registerCredentialChanges() {
	const one = api.CredentialsPath + "/{id}"
	a.registerPatch(one)
	register(a, bearer.Mint, repeatable(huma.Operation{
		OperationID: "rotateCredential", Method: http.MethodPost, Path: one + "/rotate",
		DefaultStatus: http.StatusCreated, Tags: credentialTags, Summary: "Rotate a credential",
		Description: "Replaces a live credential by a new one with the same label, bindings and expiry, and a new id. " +
			"With a grace period both are accepted until it ends; at most one such period is open.",
	}), slices.Concat([]problem.Problem{problem.TenantNotServed, problem.NotFound, problem.Inactive, problem.Disabled, problem.GraceOpen, problem.KeyReused, problem.NotSealable}, bodyProblems, mirrorProblems(problem.NotKept)), a.rotateCredential)
	a.documentReplay(one + "/rotate")
	a.registerSigningSecret(one)
	register(a, bearer.Mint, huma.Operation{
		OperationID: "finishRotation", Method: http.MethodPost, Path: one + "/finish",
		Tags: credentialTags, Summary: "End a grace period now",
		Description: "Revokes the credential that is in its grace period, named by its own id or by that of its successor, and returns it.",
	}, slices.Concat([]problem.Problem{problem.NotFound, problem.NoGrace}, bodyProblems, mirrorProblems(problem.NotAtMatcher)), a.finishRotation)
	a.registerDisable(one)
	register(a, bearer.Change, huma.Operation{
		OperationID: "revokeCredential", Method: http.MethodPost, Path: one + "/revoke",
		Tags: credentialTags, Summary: "Revoke a credential",
		Description: "Ends it for good, and returns it. Revoking it again changes nothing.",
	}, slices.Concat([]problem.Problem{problem.NotFound}, bodyProblems, mirrorProblems(problem.NotAtMatcher)), a.revokeCredential)
	register(a, bearer.Change, huma.Operation{
		OperationID: "deleteCredential", Method: http.MethodDelete, Path: one,
		Tags: credentialTags, Summary: "Revoke a credential and answer nothing",
		Description: "Ends it for good. It stays in lists, as revoked.",
	}, append(mirrorProblems(problem.NotAtMatcher), problem.NotFound), a.deleteCredential)
}

func (a *admin) rotateCredential(ctx context.Context, tenant uuid.UUID, in *rotateCredentialInput) (*mintedCredentialOutput, error) {
	if in.Body == nil {
		in.Body = &api.RotateCredentialRequest{}
	}
	secret, err := parseSHA256(in.Body.SecretHash)
	if err != nil {
		return nil, refuse(problem.Invalid).at("body.secretHash", err.Error())
	}
	ctx, ref := withOrigin(ctx, in.Body.Reason), anyKind(tenant, in.ID)
	if in.Body.Force { // it takes away a token that is still accepted
		if refusal := a.allow(ctx, bearer.Change); refusal != nil {
			return nil, refusal
		}
	}
	rotation := store.Rotation{
		Grace: time.Duration(in.Body.GracePeriodSeconds) * time.Second, Force: in.Body.Force, SecretHash: secret,
	}
	if a.mirror != nil {
		if made, handled, err := a.rotateAtMatcher(ctx, ref, rotation); handled || err != nil {
			return a.minted(ctx, tenant, made.credential, made.secret.Token, err)
		}
	}
	c, token, err := a.rotate(ctx, ref, rotation)
	return a.minted(ctx, tenant, c, token, err)
}

func (a *admin) finishRotation(ctx context.Context, tenant uuid.UUID, in *endCredentialInput) (*oneCredentialOutput, error) {
	c, err := a.store.Finish(in.origin(ctx), anyKind(tenant, in.ID))
	if err == nil && a.mirror != nil && c.AtMatcher {
		_, err = a.revokeAtMatcher(ctx, c.ID)
	}
	if err != nil {
		return nil, err
	}
	return &oneCredentialOutput{Body: a.show(&c)}, nil
}

func (a *admin) revokeCredential(ctx context.Context, tenant uuid.UUID, in *endCredentialInput) (*oneCredentialOutput, error) {
	ref := anyKind(tenant, in.ID)
	if err := a.revoke(in.origin(ctx), ref); err != nil {
		return nil, err
	}
	return a.reread(ctx, ref)
}

func (a *admin) deleteCredential(ctx context.Context, tenant uuid.UUID, in *oneCredentialInput) (*struct{}, error) {
	return nil, a.revoke(ctx, anyKind(tenant, in.ID))
}

func (in *endCredentialInput) origin(ctx context.Context) context.Context {
	if in.Body == nil {
		return ctx
	}
	return withOrigin(ctx, in.Body.Reason)
}
