package admin

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/problem"
)

// registerDisable adds the pause that is no revocation. Matcher has none: where a mirror is
// configured, it holds here alone.
func (a *admin) registerDisable(one string) {
	refusals := slices.Concat([]problem.Problem{problem.NotFound, problem.Inactive}, bodyProblems)
	register(a, bearer.Change, huma.Operation{
		OperationID: "disableCredential", Method: http.MethodPost, Path: one + "/disable",
		Tags: credentialTags, Summary: "Disable a credential for a while",
		Description: "Its token is refused like a revoked one until it is enabled again, and it is not rotated meanwhile. Its expiry and grace period run on. Disabling it again changes nothing.",
	}, refusals, a.setDisabled(true))
	register(a, bearer.Change, huma.Operation{
		OperationID: "enableCredential", Method: http.MethodPost, Path: one + "/enable",
		Tags: credentialTags, Summary: "Enable a disabled credential",
		Description: "Its token is accepted again, unless it has expired or its grace period has ended. Enabling it again changes nothing.",
	}, refusals, a.setDisabled(false))
}

func (a *admin) setDisabled(disabled bool) func(context.Context, uuid.UUID, *endCredentialInput) (*oneCredentialOutput, error) {
	return func(ctx context.Context, tenant uuid.UUID, in *endCredentialInput) (*oneCredentialOutput, error) {
		c, err := a.store.SetDisabled(in.origin(ctx), anyKind(tenant, in.ID), disabled)
		if err != nil {
			return nil, err
		}
		return &oneCredentialOutput{Body: a.show(&c)}, nil
	}
}
