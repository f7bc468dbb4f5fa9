package admin

import (
	"time"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/docs"
	"github.com/hookgate/hookgate/problem"
)

// examples are of schemas whose properties do not all go together.
var examples = map[string][]docs.Example{
	"CredentialMetadata": {{Value: credentialMetadata{
		ID: exampleID, CreatedAt: exampleDay(2), ExternalSystem: "jira-production", LastUsedAt: exampleDay(3),
	}}},
	"WebhookTokenMetadata": {{Value: webhookTokenMetadata{
		ID: exampleID, Vendor: "pluggy", ConnectionName: "pluggy-main", CreatedAt: exampleDay(2), LastUsedAt: exampleDay(3),
	}}},
	"Credential": {{Value: exampleCredential}},
	"MintedCredential": {
		{Name: "callback", Value: api.MintedCredential{Token: exampleToken, Credential: api.Credential{
			ID: exampleID, Kind: "callback", Status: "active", Label: "jira-production", CreatedAt: exampleDay(2),
		}, WebhookURLHint: "https://hooks.example.com/v1/exceptions/{exceptionId}/callback"}},
		{Name: "api", Value: api.MintedCredential{Credential: exampleCredential}},
	},
	"CreateCredentialRequest": {
		{Name: "callback", Value: api.CreateCredentialRequest{Kind: "callback", Label: "jira-production", AllowedIPs: exampleIPs}},
		{Name: "webhook", Value: api.CreateCredentialRequest{Kind: "webhook", Vendor: "pluggy", Connection: "pluggy-main", ExpiresAt: &exampleEnd}},
		{Name: "api", Value: api.CreateCredentialRequest{
			Kind: "api", Label: "Billing", ClientID: "billing-prod", SecretHash: exampleHash,
			Scopes: exampleScopes, Metadata: exampleMetadata, AllowedIPs: exampleIPs, ExpiresAt: &exampleEnd,
		}},
	},
	"RotateCredentialRequest": {
		{Name: "callback or webhook", Value: api.RotateCredentialRequest{GracePeriodSeconds: 3600, Reason: "yearly rotation"}},
		{Name: "api", Value: api.RotateCredentialRequest{GracePeriodSeconds: 3600, Reason: "yearly rotation", SecretHash: exampleHash}},
	},
	"ImportRequest": {{Value: api.ImportRequest{Credentials: []api.ImportLine{
		{Kind: "callback", Digest: exampleHash, Label: "jira-production"},
		{Kind: "webhook", Digest: exampleOtherHash, Vendor: "pluggy", Connection: "pluggy-main"},
	}}}},
	"ImportResponse": {{Value: api.ImportResponse{Results: []api.ImportResult{
		{ID: exampleID, Status: "created"},
		{Status: "refused", Code: problem.NotImportable.Code, Detail: problem.NotImportable.Meaning},
	}}}},
	"AuditEntry": {{Value: api.AuditEntry{
		ID: "1767323045678-0", At: exampleDay(2), Actor: "alice@example.com", Action: "revoke", CredentialID: exampleID,
		Kind: "callback", Label: "Billing", Reason: "leaked in a support ticket", Address: "192.0.2.7",
		RequestID: "0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a5b",
	}}},
}

const (
	exampleID        = "0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"
	exampleToken     = "mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk"
	exampleHash      = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
	exampleOtherHash = "sha256:fcf730b6d95236ecd3c9fc2d92d7b6b2bb061514961aec041d6c7a7192f592e4"
)

var (
	exampleIPs      = []string{"203.0.113.0/24"}
	exampleScopes   = []string{"products:read"}
	exampleScheme   = map[string]any{"signature": map[string]any{"header": "X-Signature"}, "prefix": "sha256="}
	exampleSecrets  = []string{"q7fJ2mXoZkT4vB9wLr1c"}
	exampleMetadata = api.JSONObject(`{"owner":"billing"}`)
	// exampleEnd is far ahead, so that the example goes on being accepted.
	exampleEnd = time.Date(2127, 1, 2, 3, 4, 5, 0, time.UTC)

	exampleCredential = api.Credential{
		ID: exampleID, Kind: "api", Status: "active", Label: "Billing", ClientID: "billing-prod", Scopes: exampleScopes,
		Metadata: exampleMetadata, AllowedIPs: exampleIPs, CreatedAt: exampleDay(2), ExpiresAt: exampleEnd, LastUsedAt: exampleDay(3),
	}
)

func exampleDay(day int) time.Time { return time.Date(2026, 1, day, 3, 4, 5, 678_000_000, time.UTC) }
