package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/store"
)

type (
	rotateCredentialRequest struct {
		GracePeriodSeconds int    `json:"gracePeriodSeconds,omitempty" minimum:"0" maximum:"604800" example:"3600" doc:"How long the old credential goes on being accepted, never past its expiry. 0, the default, revokes it at once."`
		Force              bool   `json:"force,omitempty" example:"false" doc:"Ends the grace period of an earlier rotation, if one is open."`
		Reason             string `json:"reason,omitempty" maxLength:"256" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters" example:"yearly rotation" doc:"For the audit log."`
		SecretHash         string `json:"secretHash,omitempty" pattern:"^([sS][hH][aA]256:)?[0-9A-Fa-f]{64}$" patternDescription:"SHA-256 in hexadecimal" example:"sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" doc:"SHA-256 of the new client secret; required for the api kind and for no other."`
	}
	changeReasonRequest struct {
		Reason string `json:"reason,omitempty" maxLength:"256" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters" example:"leaked in a support ticket" doc:"For the audit log."`
	}

	rotateCredentialInput struct {
		ID   credentialID `path:"id" format:"uuid" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"`
		Body *rotateCredentialRequest
	}
	endCredentialInput struct {
		ID   credentialID `path:"id" format:"uuid" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"`
		Body *changeReasonRequest
	}
)

func (a *api) registerCredentialChanges() {
	const one = credentialsPath + "/{id}"
	a.registerPatch(one)
	register(a, RoleAdmin, repeatable(huma.Operation{
		OperationID: "rotateCredential", Method: http.MethodPost, Path: one + "/rotate",
		DefaultStatus: http.StatusCreated, Tags: credentialTags, Summary: "Rotate a credential",
		Description: "Replaces a live credential by a new one with the same label, bindings and expiry, and a new id. With a grace period both are accepted until it ends; at most one such period is open.",
	}), append([]Problem{problemNotFound, problemInactive, problemGraceOpen, problemKeyReused}, bodyProblems...), a.rotateCredential)
	a.documentReplay(one + "/rotate")
	register(a, RoleAdmin, huma.Operation{
		OperationID: "finishRotation", Method: http.MethodPost, Path: one + "/finish",
		Tags: credentialTags, Summary: "End a grace period now",
		Description: "Revokes the credential that is in its grace period, named by its own id or by that of its successor, and returns it.",
	}, append([]Problem{problemNotFound, problemNoGrace}, bodyProblems...), a.finishRotation)
	register(a, RoleAdmin, huma.Operation{
		OperationID: "revokeCredential", Method: http.MethodPost, Path: one + "/revoke",
		Tags: credentialTags, Summary: "Revoke a credential",
		Description: "Ends it for good, and returns it. Revoking it again changes nothing.",
	}, append([]Problem{problemNotFound}, bodyProblems...), a.revokeCredential)
	register(a, RoleAdmin, huma.Operation{
		OperationID: "deleteCredential", Method: http.MethodDelete, Path: one,
		Tags: credentialTags, Summary: "Revoke a credential, without a word",
		Description: "Ends it for good. It stays in lists, as revoked.",
	}, []Problem{problemNotFound}, a.deleteCredential)
}

func (a *api) rotateCredential(ctx context.Context, tenant uuid.UUID, in *rotateCredentialInput) (*mintedCredentialOutput, error) {
	if in.Body == nil {
		in.Body = &rotateCredentialRequest{}
	}
	secret, err := parseSHA256(in.Body.SecretHash)
	if err != nil {
		return nil, refuse(problemInvalid).at("body.secretHash", err.Error())
	}
	c, token, err := a.store.Rotate(withOrigin(ctx, in.Body.Reason), anyKind(tenant, in.ID), store.Rotation{
		Grace: time.Duration(in.Body.GracePeriodSeconds) * time.Second, Force: in.Body.Force, SecretHash: secret,
	})
	return a.minted(ctx, tenant, c, token, err)
}

func (a *api) finishRotation(ctx context.Context, tenant uuid.UUID, in *endCredentialInput) (*oneCredentialOutput, error) {
	c, err := a.store.Finish(in.origin(ctx), anyKind(tenant, in.ID))
	if err != nil {
		return nil, err
	}
	return &oneCredentialOutput{Body: a.show(&c)}, nil
}

func (a *api) revokeCredential(ctx context.Context, tenant uuid.UUID, in *endCredentialInput) (*oneCredentialOutput, error) {
	ref := anyKind(tenant, in.ID)
	if err := a.store.Revoke(in.origin(ctx), ref); err != nil {
		return nil, err
	}
	return a.reread(ctx, ref)
}

func (a *api) deleteCredential(ctx context.Context, tenant uuid.UUID, in *oneCredentialInput) (*struct{}, error) {
	return nil, a.store.Revoke(ctx, anyKind(tenant, in.ID))
}

func (in *endCredentialInput) origin(ctx context.Context) context.Context {
	if in.Body == nil {
		return ctx
	}
	return withOrigin(ctx, in.Body.Reason)
}
