package admin

import (
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
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

type callbackNamed struct {
	ID credentialID `path:"credentialId" format:"uuid" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"`
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
		spec: func(r *mintCredentialRequest) credential.Spec { return credential.Spec{Label: r.ExternalSystem} },
		secret: func(c *credential.Credential, token string) credentialSecretResponse {
			return credentialSecretResponse{
				Token: token, CredentialID: c.ID.String(), CreatedAt: c.CreatedAt, ExternalSystem: c.Label, WebhookURLHint: a.callbackURLHint(),
			}
		},
		shown: func(credentials []credential.Credential) listResponse {
			list := make([]credentialMetadata, len(credentials)) // never null
			for i, c := range credentials {
				list[i] = credentialMetadata{
					ID: c.ID.String(), CreatedAt: c.CreatedAt, ExternalSystem: c.Label,
					LastUsedAt: c.LastUsedAt, RevokedAt: a.endedAt(&c), RotatedAt: c.RotatedAt,
				}
			}
			return listResponse{list}
		},
	})
}
