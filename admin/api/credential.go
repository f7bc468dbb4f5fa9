package api

import "time"

// Credential is a credential of any kind as the resource API shows it. What a
// credential does not have is absent, never null.
type Credential struct {
	ID           string     `json:"id" format:"uuid"`
	Kind         string     `json:"kind" enum:"callback,webhook,api"`
	Status       string     `json:"status" enum:"active,grace,disabled,expired,revoked"`
	Label        string     `json:"label,omitempty"`
	TokenHint    string     `json:"tokenHint,omitempty"`
	Vendor       string     `json:"vendor,omitempty"`
	Connection   string     `json:"connection,omitempty"`
	ClientID     string     `json:"clientId,omitempty"`
	Scopes       []string   `json:"scopes,omitempty"`
	Metadata     JSONObject `json:"metadata,omitempty"`
	AllowedIPs   []string   `json:"allowedIps,omitempty"`
	CreatedAt    time.Time  `json:"createdAt"`
	ExpiresAt    time.Time  `json:"expiresAt,omitzero"`
	LastUsedAt   time.Time  `json:"lastUsedAt,omitzero"`
	RevokedAt    time.Time  `json:"revokedAt,omitzero"`
	RotatedAt    time.Time  `json:"rotatedAt,omitzero"`
	GraceUntil   time.Time  `json:"graceUntil,omitzero"`
	Supersedes   string     `json:"supersedes,omitempty" format:"uuid"`
	SupersededBy string     `json:"supersededBy,omitempty" format:"uuid"`

	Verify *ShownVerify `json:"verify,omitempty"`
	// LastProofs are when each result of its senders' proofs was last seen, the newest
	// first. Lists leave them out.
	LastProofs []ProofSeen `json:"lastProofs,omitempty"`

	LastRefusals []Refusal `json:"lastRefusals,omitempty"`
}

// Refusal is a request that the guard refused.
type Refusal struct {
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome"`
	Address string    `json:"address,omitempty"`
}

// MintedCredential is a credential that was just made, with its token if its kind has
// one: the answer to a create or a rotation.
type MintedCredential struct {
	Credential
	Token          string `json:"token,omitempty"`
	WebhookURL     string `json:"webhookUrl,omitempty"`
	WebhookURLHint string `json:"webhookUrlHint,omitempty"`
}

// CredentialList is a page of a list.
type CredentialList struct {
	Credentials []Credential `json:"credentials" nullable:"false"`
	NextCursor  string       `json:"nextCursor,omitempty"`
}

// CreateCredentialRequest asks for a credential of any kind.
type CreateCredentialRequest struct {
	Kind       string     `json:"kind" enum:"callback,webhook,api"`
	Label      string     `json:"label,omitempty" maxLength:"128" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters"`
	Vendor     string     `json:"vendor,omitempty" pattern:"^[a-z0-9-]{1,32}$"`
	Connection string     `json:"connection,omitempty" minLength:"1" maxLength:"256" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters"`
	ClientID   string     `json:"clientId,omitempty" pattern:"^[!-9;-~]{1,128}$" patternDescription:"1 to 128 printable ASCII characters without space and colon"`
	SecretHash string     `json:"secretHash,omitempty" pattern:"^([sS][hH][aA]256:)?[0-9A-Fa-f]{64}$" patternDescription:"SHA-256 in hexadecimal"`
	Scopes     []string   `json:"scopes,omitempty" maxItems:"64"`
	Metadata   JSONObject `json:"metadata,omitempty"`
	AllowedIPs []string   `json:"allowedIps,omitempty" maxItems:"64"`
	ExpiresAt  *time.Time `json:"expiresAt,omitempty"`

	Verify *VerifySettings `json:"verify,omitempty"`
}

// RotateCredentialRequest asks for a successor.
type RotateCredentialRequest struct {
	GracePeriodSeconds int    `json:"gracePeriodSeconds,omitempty" minimum:"0" maximum:"604800"`
	Force              bool   `json:"force,omitempty"`
	Reason             string `json:"reason,omitempty" maxLength:"256" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters"`
	SecretHash         string `json:"secretHash,omitempty" pattern:"^([sS][hH][aA]256:)?[0-9A-Fa-f]{64}$" patternDescription:"SHA-256 in hexadecimal"`
}

// ChangeReasonRequest ends a credential or a grace period.
type ChangeReasonRequest struct {
	Reason string `json:"reason,omitempty" maxLength:"256" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters"`
}

// PatchCredentialRequest changes what a credential may do; its token stays.
type PatchCredentialRequest struct {
	Label      Patched[string]     `json:"label,omitzero" maxLength:"128" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters"`
	ExpiresAt  Patched[time.Time]  `json:"expiresAt,omitzero"`
	AllowedIPs Patched[[]string]   `json:"allowedIps,omitzero" maxItems:"64"`
	Scopes     Patched[[]string]   `json:"scopes,omitzero" maxItems:"64"`
	Metadata   Patched[JSONObject] `json:"metadata,omitzero"`

	Verify Patched[VerifySettings] `json:"verify,omitzero"`
}
