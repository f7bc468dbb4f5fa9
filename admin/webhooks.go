package admin

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
)

// The messages of the webhook token operations. MintRequest and MintResponse are
// Matcher's, snake_case included; the list is ours.
type (
	mintRequest struct {
		Vendor         string `json:"vendor" enum:"pluggy,belvo"`
		ConnectionName string `json:"connection_config_name" minLength:"1" maxLength:"256" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters"`
	}

	mintResponse struct {
		Token      string `json:"token"`
		WebhookURL string `json:"webhook_url"`
		Vendor     string `json:"vendor" enum:"pluggy,belvo"`
	}

	webhookTokenMetadata struct {
		ID             string    `json:"id" format:"uuid"`
		Vendor         string    `json:"vendor"`
		ConnectionName string    `json:"connection_config_name"`
		CreatedAt      time.Time `json:"created_at"`
		LastUsedAt     time.Time `json:"last_used_at,omitzero"`
		RevokedAt      time.Time `json:"revoked_at,omitzero"`
		RotatedAt      time.Time `json:"rotated_at,omitzero"`
	}

	webhookTokenList struct {
		Tokens []webhookTokenMetadata `json:"tokens"`
	}
)

type webhookNamed struct {
	ID credentialID `path:"id" format:"uuid"`
}

func (in webhookNamed) id() uuid.UUID { return uuid.UUID(in.ID) }

func (a *admin) registerWebhookTokens() {
	registerFacade[webhookNamed](a, "id", facade[mintRequest, mintResponse, webhookTokenList]{
		kind: credential.KindWebhook, path: "/v1/discovery/webhooks/tokens", tag: "Aggregator webhook tokens",
		mint: operationText{
			"mintAggregatorWebhookToken", "Mint a webhook token",
			"Returns a new token for one vendor and connection, once, and the URL to register at the vendor.",
		},
		list: operationText{
			"listAggregatorWebhookTokens", "List webhook tokens",
			"All of the tenant's, newest first, revoked ones included. The tokens themselves are not in it.",
		},
		rotate: operationText{
			"rotateAggregatorWebhookToken", "Rotate a webhook token",
			"Replaces a live token by a new one with the same vendor and connection, and a new id. " +
				"The old one is revoked in the same transaction, so register the new URL at the vendor right away.",
		},
		revoke: operationText{
			"revokeAggregatorWebhookToken", "Revoke a webhook token",
			"Ends it for good. Revoking it again changes nothing.",
		},
		spec: func(r *mintRequest) credential.Spec {
			return credential.Spec{Vendor: r.Vendor, Connection: r.ConnectionName}
		},
		secret: func(c *credential.Credential, token string) mintResponse {
			return mintResponse{Token: token, Vendor: c.Vendor, WebhookURL: a.webhookURL(c, token)}
		},
		member: "tokens",
		entry: func(c *credential.Credential) any {
			return webhookTokenMetadata{
				ID: c.ID.String(), Vendor: c.Vendor, ConnectionName: c.Connection, CreatedAt: c.CreatedAt,
				LastUsedAt: c.LastUsedAt, RevokedAt: a.endedAt(c), RotatedAt: c.RotatedAt,
			}
		},
		mintable:         a.mintableToken,
		mintProblems:     connectionProblems,
		rotatable:        a.rotatableToken,
		rotationProblems: []problem.Problem{problem.NotConfigured},
	})
}

// mintableToken: the answer has the URL, so that there must be one.
func (a *admin) mintableToken(ctx context.Context, spec credential.Spec) error {
	if a.publicURL == "" && a.mirror == nil { // Matcher has one of its own
		return refuse(problem.NotConfigured)
	}
	return a.checkConnection(ctx, spec, "body.vendor", "body.connection_config_name")
}

// rotatableToken does not ask whether the connection still exists: a leaked token must
// be replaceable whatever became of it.
func (a *admin) rotatableToken(c *credential.Credential) error {
	if a.publicURL == "" && a.mirror == nil {
		return refuse(problem.NotConfigured)
	}
	if _, err := a.webhookPath(c.Vendor, c.Connection, anyToken); err != nil {
		return noWebhookPath()
	}
	return nil
}
