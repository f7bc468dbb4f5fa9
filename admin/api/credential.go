package api

import "time"

// Credential is a credential of any kind as the resource API shows it. What a
// credential does not have is absent, never null.
type Credential struct {
	ID           string     `json:"id" format:"uuid" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"`
	Kind         string     `json:"kind" enum:"callback,webhook,api" example:"api"`
	Status       string     `json:"status" enum:"active,grace,expired,revoked" example:"active" doc:"grace: rotated out and accepted until graceUntil. What has reached its graceUntil or expiresAt is expired."`
	Label        string     `json:"label,omitempty" example:"Billing"`
	Vendor       string     `json:"vendor,omitempty" example:"pluggy" doc:"Of a webhook credential."`
	Connection   string     `json:"connection,omitempty" example:"pluggy-main" doc:"Of a webhook credential: the configName of an aggregator connection."`
	ClientID     string     `json:"clientId,omitempty" example:"billing-prod" doc:"Of an api credential."`
	Scopes       []string   `json:"scopes,omitempty" example:"[\"products:read\"]" doc:"Of an api credential, sorted."`
	Metadata     JSONObject `json:"metadata,omitempty"`
	AllowedIPs   []string   `json:"allowedIps,omitempty" example:"[\"203.0.113.0/24\"]" doc:"The only addresses it works from; any where absent."`
	CreatedAt    time.Time  `json:"createdAt" example:"2026-01-02T03:04:05.678Z"`
	ExpiresAt    time.Time  `json:"expiresAt,omitzero" example:"2027-01-02T03:04:05.678Z"`
	LastUsedAt   time.Time  `json:"lastUsedAt,omitzero" example:"2026-01-03T03:04:05.678Z" doc:"Absent until the first use."`
	RevokedAt    time.Time  `json:"revokedAt,omitzero" example:"2026-01-04T03:04:05.678Z"`
	RotatedAt    time.Time  `json:"rotatedAt,omitzero" example:"2026-01-02T03:04:05.678Z" doc:"When it superseded another credential, or got another secret in place."`
	GraceUntil   time.Time  `json:"graceUntil,omitzero" example:"2026-01-05T03:04:05.678Z" doc:"Until when it is accepted after it was rotated out."`
	Supersedes   string     `json:"supersedes,omitempty" format:"uuid" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a58"`
	SupersededBy string     `json:"supersededBy,omitempty" format:"uuid" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a5a"`
}

// MintedCredential is a credential that was just made, with its token if its kind has
// one: the answer to a create or a rotation.
type MintedCredential struct {
	Credential
	Token          string `json:"token,omitempty" example:"mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk" doc:"Shown this once and stored nowhere. Absent for the api kind, whose secret is the caller's, and where the request had been made before."`
	WebhookURL     string `json:"webhookUrl,omitempty" example:"https://hooks.example.com/v1/discovery/webhooks/pluggy/mwh_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4My3Df" doc:"Of a webhook credential, beside its token and where the server has a public URL: what to register at the vendor. A secret, since the token is in it."`
	WebhookURLHint string `json:"webhookUrlHint,omitempty" example:"https://hooks.example.com/v1/exceptions/{exceptionId}/callback" doc:"Of a callback credential, beside its token and where the server has a public URL: where to post callbacks; put the exception's id in place of the placeholder."`
}

// CredentialList is a page of a list.
type CredentialList struct {
	Credentials []Credential `json:"credentials" nullable:"false"`
	NextCursor  string       `json:"nextCursor,omitempty" example:"MTc2NzMyMzA0NTY3OC0wMTk5ZDVhNC03YzFlLTdiM2EtOWY1Mi02ZjFkMmMzYjRhNTk" doc:"Asks for the next page; absent on the last."`
}

// CreateCredentialRequest asks for a credential of any kind.
type CreateCredentialRequest struct {
	Kind       string     `json:"kind" enum:"callback,webhook,api" example:"api"`
	Label      string     `json:"label,omitempty" maxLength:"128" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters" example:"Billing" doc:"Shown in lists, and for a callback credential sent to Matcher as the external system."`
	Vendor     string     `json:"vendor,omitempty" pattern:"^[a-z0-9-]{1,32}$" example:"pluggy" doc:"Required for the webhook kind, as is connection."`
	Connection string     `json:"connection,omitempty" minLength:"1" maxLength:"256" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters" example:"pluggy-main"`
	ClientID   string     `json:"clientId,omitempty" pattern:"^[!-9;-~]{1,128}$" patternDescription:"1 to 128 printable ASCII characters without space and colon" example:"billing-prod" doc:"Required for the api kind, as is secretHash."`
	SecretHash string     `json:"secretHash,omitempty" pattern:"^([sS][hH][aA]256:)?[0-9A-Fa-f]{64}$" patternDescription:"SHA-256 in hexadecimal" example:"sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" doc:"SHA-256 of the client secret, which is never sent here. Use at least 256 random bits."`
	Scopes     []string   `json:"scopes,omitempty" maxItems:"64" example:"[\"products:read\"]"`
	Metadata   JSONObject `json:"metadata,omitempty"`
	AllowedIPs []string   `json:"allowedIps,omitempty" maxItems:"64" example:"[\"203.0.113.0/24\"]" doc:"Addresses and CIDR prefixes."`
	ExpiresAt  *time.Time `json:"expiresAt,omitempty" example:"2127-01-02T03:04:05.678Z"`
}

// RotateCredentialRequest asks for a successor.
type RotateCredentialRequest struct {
	GracePeriodSeconds int    `json:"gracePeriodSeconds,omitempty" minimum:"0" maximum:"604800" example:"3600" doc:"How long the old credential goes on being accepted, never past its expiry. 0, the default, revokes it at once."`
	Force              bool   `json:"force,omitempty" example:"false" doc:"Ends the grace period of an earlier rotation, if one is open."`
	Reason             string `json:"reason,omitempty" maxLength:"256" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters" example:"yearly rotation" doc:"For the audit log."`
	SecretHash         string `json:"secretHash,omitempty" pattern:"^([sS][hH][aA]256:)?[0-9A-Fa-f]{64}$" patternDescription:"SHA-256 in hexadecimal" example:"sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" doc:"SHA-256 of the new client secret; required for the api kind and for no other."`
}

// ChangeReasonRequest ends a credential or a grace period.
type ChangeReasonRequest struct {
	Reason string `json:"reason,omitempty" maxLength:"256" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters" example:"leaked in a support ticket" doc:"For the audit log."`
}

// PatchCredentialRequest changes what a credential may do; its token stays.
type PatchCredentialRequest struct {
	Label      Patched[string]    `json:"label,omitzero" maxLength:"128" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters" example:"Billing"`
	ExpiresAt  Patched[time.Time] `json:"expiresAt,omitzero" example:"2127-01-02T03:04:05.678Z" doc:"null for never."`
	AllowedIPs Patched[[]string]  `json:"allowedIps,omitzero" maxItems:"64" example:"[\"203.0.113.0/24\"]" doc:"Addresses and CIDR prefixes; null for any."`
}
