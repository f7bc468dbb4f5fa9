package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

type (
	patchCredentialInput struct {
		ID   credentialID `path:"id" format:"uuid"`
		Body api.PatchCredentialRequest
	}
)

func (a *admin) registerPatch(path string) {
	register(a, bearer.Change, huma.Operation{
		OperationID: "updateCredential", Method: http.MethodPatch, Path: path,
		Tags: credentialTags, Summary: "Change a credential",
		Description: "A JSON merge patch: what is absent stays, null takes it away. The token stays. " +
			"An expired credential can be prolonged, a revoked one cannot be changed.",
	}, append([]problem.Problem{problem.NotFound, problem.Inactive, problem.Quota, problem.NotSealable}, bodyProblems...), a.patchCredential)
	content := a.huma.OpenAPI().Paths[path].Patch.RequestBody.Content
	content[mergePatch] = content["application/json"]
}

func (a *admin) patchCredential(ctx context.Context, tenant uuid.UUID, in *patchCredentialInput) (*oneCredentialOutput, error) {
	patch := store.Patch{Label: in.Body.Label.Pointer(), ExpiresAt: in.Body.ExpiresAt.Pointer(), Scopes: in.Body.Scopes.Pointer()}
	if err := checkLabel("body.label", in.Body.Label.Value); err != nil {
		return nil, err
	}
	if in.Body.Metadata.Present {
		patch.Metadata = new(string(in.Body.Metadata.Value))
	}
	if patch.ExpiresAt != nil && !in.Body.ExpiresAt.Null {
		if patch.ExpiresAt.IsZero() { // which would mean never; that is what null is for
			return nil, refuse(problem.Invalid).at("body.expiresAt", "expected a time in the future")
		}
		if err := a.checkExpiry("body.expiresAt", *patch.ExpiresAt); err != nil {
			return nil, err
		}
	}
	if in.Body.AllowedIPs.Present {
		prefixes, err := parseIPs(in.Body.AllowedIPs.Value)
		if err != nil {
			return nil, refuse(problem.Invalid).at("body.allowedIps", err.Error())
		}
		patch.AllowedIPs = &prefixes
	}
	if in.Body.Verify.Present {
		if patch.RemoveVerify = in.Body.Verify.Null; !patch.RemoveVerify {
			var err error
			if patch.Verify, err = verifyOf(&in.Body.Verify.Value); err != nil {
				return nil, err
			}
		}
	}
	c, err := a.store.Update(ctx, anyKind(tenant, in.ID), patch)
	if err != nil {
		return nil, err
	}
	return &oneCredentialOutput{Body: a.show(&c)}, nil
}
