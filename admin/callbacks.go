package admin

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// The messages of the callback credential operations; types are named after the
// schemas of Matcher's document.
type (
	mintCredentialRequest struct {
		ExternalSystem string `json:"externalSystem,omitempty" maxLength:"128" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters"`
	}

	credentialSecretResponse struct {
		Token          string    `json:"token"`
		CredentialID   string    `json:"credentialId" format:"uuid"`
		CreatedAt      time.Time `json:"createdAt"`
		ExternalSystem string    `json:"externalSystem,omitempty"`
		WebhookURLHint string    `json:"webhookUrlHint,omitempty"`
	}

	credentialMetadata struct {
		ID             string    `json:"id" format:"uuid"`
		CreatedAt      time.Time `json:"createdAt"`
		ExternalSystem string    `json:"externalSystem,omitempty"`
		LastUsedAt     time.Time `json:"lastUsedAt,omitzero"`
		RevokedAt      time.Time `json:"revokedAt,omitzero"`
		RotatedAt      time.Time `json:"rotatedAt,omitzero"`
	}

	listResponse struct {
		Credentials []credentialMetadata `json:"credentials"`
	}
)

type callbackNamed struct {
	ID credentialID `path:"credentialId" format:"uuid"`
}

func (in callbackNamed) id() uuid.UUID { return uuid.UUID(in.ID) }

func (a *admin) registerCallbackCredentials() {
	registerFacade[callbackNamed](a, "credentialId", facade[mintCredentialRequest, credentialSecretResponse, listResponse]{
		kind: credential.KindCallback, path: "/v1/exceptions/callbacks/credentials", tag: "Callback credentials",
		mint: operationText{
			"mintCallbackCredential", "Mint a callback credential",
			"Returns a new token, once. It works at once.",
		},
		list: operationText{
			"listCallbackCredentials", "List callback credentials",
			"All of the tenant's, newest first, revoked ones included. Tokens are not in it.",
		},
		rotate: operationText{
			"rotateCallbackCredential", "Rotate a callback credential",
			"Replaces a live credential by a new one with the same externalSystem and a new id and token. " +
				"The old one is revoked in the same transaction.",
		},
		revoke: operationText{
			"revokeCallbackCredential", "Revoke a callback credential",
			"Ends it for good. Revoking it again changes nothing.",
		},
		mintable: func(_ context.Context, spec credential.Spec) error {
			return checkLabel("body.externalSystem", spec.Label)
		},
		spec: func(r *mintCredentialRequest) credential.Spec { return credential.Spec{Label: r.ExternalSystem} },
		secret: func(c *credential.Credential, token string) credentialSecretResponse {
			return credentialSecretResponse{
				Token: token, CredentialID: c.ID.String(), CreatedAt: c.CreatedAt, ExternalSystem: c.Label, WebhookURLHint: a.callbackURLHint(),
			}
		},
		member: "credentials",
		entry: func(c *credential.Credential) any {
			return credentialMetadata{
				ID: c.ID.String(), CreatedAt: c.CreatedAt, ExternalSystem: c.Label,
				LastUsedAt: c.LastUsedAt, RevokedAt: a.endedAt(c), RotatedAt: c.RotatedAt,
			}
		},
	})
}
