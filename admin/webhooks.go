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

// The messages of the webhook token operations. MintRequest and MintResponse are
// Matcher's, snake_case included; the list is ours.
type (
	mintRequest struct {
		Vendor         string `json:"vendor" enum:"pluggy,belvo" example:"pluggy"`
		ConnectionName string `json:"connection_config_name" minLength:"1" maxLength:"256" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters" example:"pluggy-main" doc:"The configName of one of the tenant's aggregator connections."`
	}

	mintResponse struct {
		Token      string `json:"token" example:"mwh_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4My3Df" doc:"Shown this once and stored nowhere."`
		WebhookURL string `json:"webhook_url" example:"https://hooks.example.com/v1/discovery/webhooks/pluggy/mwh_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4My3Df" doc:"What to register at the vendor: a secret, since the token is in it."`
		Vendor     string `json:"vendor" enum:"pluggy,belvo" example:"pluggy"`
	}

	webhookTokenMetadata struct {
		ID             string    `json:"id" format:"uuid" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"`
		Vendor         string    `json:"vendor" example:"pluggy"`
		ConnectionName string    `json:"connection_config_name" example:"pluggy-main"`
		CreatedAt      time.Time `json:"created_at" example:"2026-01-02T03:04:05.678Z"`
		LastUsedAt     time.Time `json:"last_used_at,omitzero" example:"2026-01-03T03:04:05.678Z" doc:"Absent until the first use."`
		RevokedAt      time.Time `json:"revoked_at,omitzero" example:"2026-01-04T03:04:05.678Z" doc:"Absent while the token is live."`
		RotatedAt      time.Time `json:"rotated_at,omitzero" example:"2026-01-02T03:04:05.678Z" doc:"Present where the token superseded another by rotation."`
	}

	webhookTokenList struct {
		Tokens []webhookTokenMetadata `json:"tokens"`
	}
)

type (
	mintTokenInput struct {
		Body mintRequest
	}
	tokenInput struct {
		ID credentialID `path:"id" format:"uuid" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"`
	}
	tokenSecretOutput struct {
		CacheControl string `header:"Cache-Control" example:"no-store"`
		Body         mintResponse
	}
	tokenListOutput struct {
		Body webhookTokenList
	}
)

const webhookTokensPath = "/v1/discovery/webhooks/tokens"

func (a *admin) registerWebhookTokens() {
	tags := []string{"Aggregator webhook tokens"}
	register(a, bearer.RoleAdmin, repeatable(huma.Operation{
		OperationID: "mintAggregatorWebhookToken", Method: http.MethodPost, Path: webhookTokensPath,
		DefaultStatus: http.StatusCreated, Tags: tags, Summary: "Mint a webhook token",
		Description: "Returns a new token for one vendor and connection, once, and the URL to register at the vendor.",
	}), slices.Concat(tenantProblems, connectionProblems, bodyProblems, repeatProblems), a.mintWebhookToken)
	register(a, bearer.RoleViewer, huma.Operation{
		OperationID: "listAggregatorWebhookTokens", Method: http.MethodGet, Path: webhookTokensPath,
		Tags: tags, Summary: "List webhook tokens",
		Description: "All of the tenant's, newest first, revoked ones included. The tokens themselves are not in it.",
	}, nil, a.listWebhookTokens)
	register(a, bearer.RoleAdmin, repeatable(huma.Operation{
		OperationID: "rotateAggregatorWebhookToken", Method: http.MethodPost, Path: webhookTokensPath + "/{id}/rotate",
		DefaultStatus: http.StatusCreated, Tags: tags, Summary: "Rotate a webhook token",
		Description: "Replaces a live token by a new one with the same vendor and connection, and a new id. The old one is revoked in the same transaction, so register the new URL at the vendor right away.",
	}), append([]problem.Problem{problem.NotFound, problem.Inactive, problem.GraceOpen, problem.NotConfigured}, repeatProblems...), a.rotateWebhookToken)
	register(a, bearer.RoleAdmin, huma.Operation{
		OperationID: "revokeAggregatorWebhookToken", Method: http.MethodDelete, Path: webhookTokensPath + "/{id}",
		Tags: tags, Summary: "Revoke a webhook token",
		Description: "Ends it for good. Revoking it again changes nothing.",
	}, []problem.Problem{problem.NotFound}, a.revokeWebhookToken)
}

func (a *admin) mintWebhookToken(ctx context.Context, tenant uuid.UUID, in *mintTokenInput) (*tokenSecretOutput, error) {
	if a.publicURL == "" { // the answer could not tell the URL
		return nil, refuse(problem.NotConfigured)
	}
	spec := credential.Spec{Tenant: tenant, Kind: credential.KindWebhook, Vendor: in.Body.Vendor, Connection: in.Body.ConnectionName}
	if err := a.checkConnection(ctx, spec, "body.vendor", "body.connection_config_name"); err != nil {
		return nil, err
	}
	c, token, err := a.mint(ctx, spec)
	if err != nil {
		return nil, err
	}
	return a.tokenSecret(c, token), nil
}

func (a *admin) listWebhookTokens(ctx context.Context, tenant uuid.UUID, _ *struct{}) (*tokenListOutput, error) {
	credentials, err := a.store.List(ctx, tenant, credential.KindWebhook)
	if err != nil {
		return nil, err
	}
	out := &tokenListOutput{}
	out.Body.Tokens = make([]webhookTokenMetadata, len(credentials)) // never null
	for i, c := range credentials {
		out.Body.Tokens[i] = webhookTokenMetadata{
			ID: c.ID.String(), Vendor: c.Vendor, ConnectionName: c.Connection, CreatedAt: c.CreatedAt,
			LastUsedAt: c.LastUsedAt, RevokedAt: a.endedAt(&c), RotatedAt: c.RotatedAt,
		}
	}
	return out, nil
}

// rotateWebhookToken does not ask whether the connection still exists: a leaked
// token must be replaceable whatever became of it.
func (a *admin) rotateWebhookToken(ctx context.Context, tenant uuid.UUID, in *tokenInput) (*tokenSecretOutput, error) {
	// Before anything changes: the answer could not tell the new URL.
	if a.publicURL == "" {
		return nil, refuse(problem.NotConfigured)
	}
	ref := store.Ref{Tenant: tenant, Kind: credential.KindWebhook, ID: uuid.UUID(in.ID)}
	old, err := a.store.Get(ctx, ref)
	if err != nil {
		return nil, err
	}
	if a.webhookURL(&old, anyToken) == "" {
		return nil, noWebhookPath()
	}
	c, token, err := a.store.Rotate(ctx, ref, store.Rotation{})
	if err != nil {
		return nil, err
	}
	return a.tokenSecret(c, token), nil
}

func (a *admin) revokeWebhookToken(ctx context.Context, tenant uuid.UUID, in *tokenInput) (*struct{}, error) {
	return nil, a.store.Revoke(ctx, store.Ref{Tenant: tenant, Kind: credential.KindWebhook, ID: uuid.UUID(in.ID)})
}

func (a *admin) tokenSecret(c credential.Credential, token string) *tokenSecretOutput {
	return &tokenSecretOutput{CacheControl: noStore, Body: mintResponse{
		Token: token, Vendor: c.Vendor,
		WebhookURL: a.webhookURL(&c, token),
	}}
}
