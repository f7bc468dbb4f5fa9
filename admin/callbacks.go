package admin

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

// The messages of the callback credential operations; types are named after the
// schemas of Matcher's document.
type (
	mintCredentialRequest struct {
		ExternalSystem string `json:"externalSystem,omitempty" maxLength:"128" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters" example:"jira-production" doc:"Which system the credential is for. Shown in lists and sent to Matcher."`
	}

	credentialSecretResponse struct {
		Token          string    `json:"token" example:"mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk" doc:"The X-Callback-Token value. Shown this once and stored nowhere."`
		CredentialID   string    `json:"credentialId" format:"uuid" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"`
		CreatedAt      time.Time `json:"createdAt" example:"2026-01-02T03:04:05.678Z"`
		ExternalSystem string    `json:"externalSystem,omitempty" example:"jira-production"`
		WebhookURLHint string    `json:"webhookUrlHint,omitempty" example:"https://hooks.example.com/v1/exceptions/{exceptionId}/callback" doc:"Where to post callbacks; put the exception's id in place of the placeholder."`
	}

	credentialMetadata struct {
		ID             string    `json:"id" format:"uuid" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"`
		CreatedAt      time.Time `json:"createdAt" example:"2026-01-02T03:04:05.678Z"`
		ExternalSystem string    `json:"externalSystem,omitempty" example:"jira-production"`
		LastUsedAt     time.Time `json:"lastUsedAt,omitzero" example:"2026-01-03T03:04:05.678Z" doc:"Absent until the first use."`
		RevokedAt      time.Time `json:"revokedAt,omitzero" example:"2026-01-04T03:04:05.678Z" doc:"Absent while the credential is live."`
		RotatedAt      time.Time `json:"rotatedAt,omitzero" example:"2026-01-02T03:04:05.678Z" doc:"Present where the credential superseded another by rotation."`
	}

	listResponse struct {
		Credentials []credentialMetadata `json:"credentials"`
	}
)

type (
	mintCredentialInput struct {
		Body mintCredentialRequest
	}
	credentialInput struct {
		ID credentialID `path:"credentialId" format:"uuid" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"`
	}
	credentialSecretOutput struct {
		CacheControl string `header:"Cache-Control" example:"no-store"`
		Body         credentialSecretResponse
	}
	listOutput struct {
		Body listResponse
	}
)

const (
	callbackCredentialsPath = "/v1/exceptions/callbacks/credentials"
	// noStore keeps tokens out of the caches of browsers and proxies.
	noStore = "no-store"
)

func (a *admin) registerCallbackCredentials() {
	tags := []string{"Callback credentials"}
	register(a, bearer.RoleAdmin, repeatable(huma.Operation{
		OperationID: "mintCallbackCredential", Method: http.MethodPost, Path: callbackCredentialsPath,
		DefaultStatus: http.StatusCreated, Tags: tags, Summary: "Mint a callback credential",
		Description: "Returns a new token, once. It works at once.",
	}), slices.Concat(tenantProblems, bodyProblems, repeatProblems), a.mintCallbackCredential)
	register(a, bearer.RoleViewer, huma.Operation{
		OperationID: "listCallbackCredentials", Method: http.MethodGet, Path: callbackCredentialsPath,
		Tags: tags, Summary: "List callback credentials",
		Description: "All of the tenant's, newest first, revoked ones included. Tokens are not in it.",
	}, nil, a.listCallbackCredentials)
	register(a, bearer.RoleAdmin, repeatable(huma.Operation{
		OperationID: "rotateCallbackCredential", Method: http.MethodPost, Path: callbackCredentialsPath + "/{credentialId}/rotate",
		DefaultStatus: http.StatusCreated, Tags: tags, Summary: "Rotate a callback credential",
		Description: "Replaces a live credential by a new one with the same externalSystem and a new id and token. The old one is revoked in the same transaction.",
	}), append([]problem.Problem{problem.NotFound, problem.Inactive, problem.GraceOpen}, repeatProblems...), a.rotateCallbackCredential)
	register(a, bearer.RoleAdmin, huma.Operation{
		OperationID: "revokeCallbackCredential", Method: http.MethodDelete, Path: callbackCredentialsPath + "/{credentialId}",
		Tags: tags, Summary: "Revoke a callback credential",
		Description: "Ends it for good. Revoking it again changes nothing.",
	}, []problem.Problem{problem.NotFound}, a.revokeCallbackCredential)
}

func (a *admin) mintCallbackCredential(ctx context.Context, tenant uuid.UUID, in *mintCredentialInput) (*credentialSecretOutput, error) {
	c, token, err := a.mint(ctx, credential.Spec{Tenant: tenant, Kind: credential.KindCallback, Label: in.Body.ExternalSystem})
	if err != nil {
		return nil, err
	}
	return a.credentialSecret(c, token), nil
}

func (a *admin) listCallbackCredentials(ctx context.Context, tenant uuid.UUID, _ *struct{}) (*listOutput, error) {
	credentials, err := a.store.List(ctx, tenant, credential.KindCallback)
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Credentials = make([]credentialMetadata, len(credentials)) // never null
	for i, c := range credentials {
		out.Body.Credentials[i] = credentialMetadata{
			ID: c.ID.String(), CreatedAt: c.CreatedAt, ExternalSystem: c.Label,
			LastUsedAt: c.LastUsedAt, RevokedAt: a.endedAt(&c), RotatedAt: c.RotatedAt,
		}
	}
	return out, nil
}

func (a *admin) rotateCallbackCredential(ctx context.Context, tenant uuid.UUID, in *credentialInput) (*credentialSecretOutput, error) {
	c, token, err := a.store.Rotate(ctx, store.Ref{Tenant: tenant, Kind: credential.KindCallback, ID: uuid.UUID(in.ID)}, store.Rotation{})
	if err != nil {
		return nil, err
	}
	return a.credentialSecret(c, token), nil
}

func (a *admin) revokeCallbackCredential(ctx context.Context, tenant uuid.UUID, in *credentialInput) (*struct{}, error) {
	return nil, a.store.Revoke(ctx, store.Ref{Tenant: tenant, Kind: credential.KindCallback, ID: uuid.UUID(in.ID)})
}

func (a *admin) credentialSecret(c credential.Credential, token string) *credentialSecretOutput {
	return &credentialSecretOutput{CacheControl: noStore, Body: credentialSecretResponse{
		Token: token, CredentialID: c.ID.String(), CreatedAt: c.CreatedAt, ExternalSystem: c.Label, WebhookURLHint: a.callbackURLHint(),
	}}
}
