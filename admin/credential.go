package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

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
	Metadata     jsonObject `json:"metadata,omitempty"`
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

// mintedCredential is a credential with its token, where it was just made and is of
// a kind that has one.
type mintedCredential struct {
	Credential
	Token          string `json:"token,omitempty" example:"mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk" doc:"Shown this once and stored nowhere. Absent for the api kind, whose secret is the caller's, and where the request had been made before."`
	WebhookURL     string `json:"webhookUrl,omitempty" example:"https://hooks.example.com/v1/discovery/webhooks/pluggy/mwh_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4My3Df" doc:"Of a webhook credential, beside its token and where the server has a public URL: what to register at the vendor. A secret, since the token is in it."`
	WebhookURLHint string `json:"webhookUrlHint,omitempty" example:"https://hooks.example.com/v1/exceptions/{exceptionId}/callback" doc:"Of a callback credential, beside its token and where the server has a public URL: where to post callbacks; put the exception's id in place of the placeholder."`
}

func (a *api) show(c *credential.Credential) Credential {
	shown := Credential{
		ID: c.ID.String(), Kind: string(c.Kind), Status: string(c.Status(a.store.Now())),
		Label: c.Label, Vendor: c.Vendor, Connection: c.Connection,
		ClientID: c.ClientID, Scopes: c.Scopes, Metadata: jsonObject(c.Metadata), AllowedIPs: showIPs(c.AllowedIPs),
		CreatedAt: c.CreatedAt, ExpiresAt: c.ExpiresAt, LastUsedAt: c.LastUsedAt, RevokedAt: c.RevokedAt,
		RotatedAt: c.RotatedAt, GraceUntil: c.GraceUntil,
	}
	if c.Supersedes != uuid.Nil {
		shown.Supersedes = c.Supersedes.String()
	}
	if c.SupersededBy != uuid.Nil {
		shown.SupersededBy = c.SupersededBy.String()
	}
	return shown
}

// endedAt returns when a credential was revoked, as the facades show it: they know
// no grace, and one that has ended was a revocation with a delay.
func (a *api) endedAt(c *credential.Credential) time.Time {
	if c.RevokedAt.IsZero() && !c.GraceUntil.IsZero() && !a.store.Now().Before(c.GraceUntil) {
		return c.GraceUntil
	}
	return c.RevokedAt
}

// showIPs writes an address that stands for itself without its prefix length, as
// operators do.
func showIPs(prefixes []netip.Prefix) []string {
	var texts []string
	for _, p := range prefixes {
		if p.IsSingleIP() {
			texts = append(texts, p.Addr().String())
		} else {
			texts = append(texts, p.String())
		}
	}
	return texts
}

// parseIPs reads what showIPs writes, and reports the first text that is none.
func parseIPs(texts []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		var err error
		if prefixes[i], err = credential.ParsePrefix(text); err != nil {
			return nil, err
		}
	}
	return prefixes, nil
}

// jsonObject is a JSON object that passes through unread, empty for none: a large
// number in it must not come back rounded.
type jsonObject json.RawMessage

// MarshalJSON implements json.Marshaler.
func (o jsonObject) MarshalJSON() ([]byte, error) { return json.RawMessage(o).MarshalJSON() }

// UnmarshalJSON implements json.Unmarshaler.
func (o *jsonObject) UnmarshalJSON(data []byte) error {
	*o = nil
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil || compact.Bytes()[0] != '{' {
		return errors.New("not a JSON object")
	}
	*o = compact.Bytes()
	return nil
}

// Schema implements huma.SchemaProvider.
func (jsonObject) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true, Nullable: true,
		Examples:    []any{map[string]any{"owner": "billing"}},
		Description: "A JSON object of up to 4096 bytes that Hookgate keeps and does not read.",
	}
}
