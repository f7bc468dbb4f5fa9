package admin

import (
	"context"
	"net/http"
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
	register(a, bearer.RoleAdmin, repeatable(huma.Operation{
		OperationID: "rotateCredential", Method: http.MethodPost, Path: one + "/rotate",
		DefaultStatus: http.StatusCreated, Tags: credentialTags, Summary: "Rotate a credential",
		Description: "Replaces a live credential by a new one with the same label, bindings and expiry, and a new id. " +
			"With a grace period both are accepted until it ends; at most one such period is open.",
	}), append([]problem.Problem{problem.NotFound, problem.Inactive, problem.GraceOpen, problem.KeyReused, problem.NotSealable}, bodyProblems...), a.rotateCredential)
	a.documentReplay(one + "/rotate")
	a.registerSigningSecret(one)
	register(a, bearer.RoleAdmin, huma.Operation{
		OperationID: "finishRotation", Method: http.MethodPost, Path: one + "/finish",
		Tags: credentialTags, Summary: "End a grace period now",
		Description: "Revokes the credential that is in its grace period, named by its own id or by that of its successor, and returns it.",
	}, append([]problem.Problem{problem.NotFound, problem.NoGrace}, bodyProblems...), a.finishRotation)
	register(a, bearer.RoleAdmin, huma.Operation{
		OperationID: "revokeCredential", Method: http.MethodPost, Path: one + "/revoke",
		Tags: credentialTags, Summary: "Revoke a credential",
		Description: "Ends it for good, and returns it. Revoking it again changes nothing.",
	}, append([]problem.Problem{problem.NotFound}, bodyProblems...), a.revokeCredential)
	register(a, bearer.RoleAdmin, huma.Operation{
		OperationID: "deleteCredential", Method: http.MethodDelete, Path: one,
		Tags: credentialTags, Summary: "Revoke a credential and answer nothing",
		Description: "Ends it for good. It stays in lists, as revoked.",
	}, []problem.Problem{problem.NotFound}, a.deleteCredential)
}

func (a *admin) rotateCredential(ctx context.Context, tenant uuid.UUID, in *rotateCredentialInput) (*mintedCredentialOutput, error) {
	if in.Body == nil {
		in.Body = &api.RotateCredentialRequest{}
	}
	secret, err := parseSHA256(in.Body.SecretHash)
	if err != nil {
		return nil, refuse(problem.Invalid).at("body.secretHash", err.Error())
	}
	c, token, err := a.store.Rotate(withOrigin(ctx, in.Body.Reason), anyKind(tenant, in.ID), store.Rotation{
		Grace: time.Duration(in.Body.GracePeriodSeconds) * time.Second, Force: in.Body.Force, SecretHash: secret,
	})
	return a.minted(ctx, tenant, c, token, err)
}

func (a *admin) finishRotation(ctx context.Context, tenant uuid.UUID, in *endCredentialInput) (*oneCredentialOutput, error) {
	c, err := a.store.Finish(in.origin(ctx), anyKind(tenant, in.ID))
	if err != nil {
		return nil, err
	}
	return &oneCredentialOutput{Body: a.show(&c)}, nil
}

func (a *admin) revokeCredential(ctx context.Context, tenant uuid.UUID, in *endCredentialInput) (*oneCredentialOutput, error) {
	ref := anyKind(tenant, in.ID)
	if err := a.store.Revoke(in.origin(ctx), ref); err != nil {
		return nil, err
	}
	return a.reread(ctx, ref)
}

func (a *admin) deleteCredential(ctx context.Context, tenant uuid.UUID, in *oneCredentialInput) (*struct{}, error) {
	return nil, a.store.Revoke(ctx, anyKind(tenant, in.ID))
}

func (in *endCredentialInput) origin(ctx context.Context) context.Context {
	if in.Body == nil {
		return ctx
	}
	return withOrigin(ctx, in.Body.Reason)
}
