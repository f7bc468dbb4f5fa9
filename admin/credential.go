package admin

import (
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/credential"
)

func (a *admin) show(c *credential.Credential) api.Credential {
	shown := api.Credential{
		ID: c.ID.String(), Kind: string(c.Kind), Status: string(c.Status(a.store.Now())),
		Label: c.Label, TokenHint: c.TokenHint, Vendor: c.Vendor, Connection: c.Connection,
		ClientID: c.ClientID, Scopes: c.Scopes, Metadata: api.JSONObject(c.Metadata), AllowedIPs: showIPs(c.AllowedIPs),
		CreatedAt: c.CreatedAt, ExpiresAt: c.ExpiresAt, LastUsedAt: c.LastUsedAt, RevokedAt: c.RevokedAt,
		RotatedAt: c.RotatedAt, GraceUntil: c.GraceUntil, Verify: showVerify(c.Verify, a.store.Now()),
	}
	for _, refusal := range c.LastRefusals {
		shown.LastRefusals = append(shown.LastRefusals, api.Refusal(refusal))
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
func (a *admin) endedAt(c *credential.Credential) time.Time {
	if c.RevokedAt.IsZero() && !c.GraceUntil.IsZero() && !a.store.Now().Before(c.GraceUntil) {
		return c.GraceUntil
	}
	return c.RevokedAt
}
