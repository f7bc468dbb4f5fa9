package admin

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store"
)

type (
	createCredentialRequest struct {
		Kind       string     `json:"kind" enum:"callback,webhook,api" example:"api"`
		Label      string     `json:"label,omitempty" maxLength:"128" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters" example:"Billing" doc:"Shown in lists, and for a callback credential sent to Matcher as the external system."`
		Vendor     string     `json:"vendor,omitempty" pattern:"^[a-z0-9-]{1,32}$" example:"pluggy" doc:"Required for the webhook kind, as is connection."`
		Connection string     `json:"connection,omitempty" minLength:"1" maxLength:"256" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters" example:"pluggy-main"`
		ClientID   string     `json:"clientId,omitempty" pattern:"^[!-9;-~]{1,128}$" patternDescription:"1 to 128 printable ASCII characters without space and colon" example:"billing-prod" doc:"Required for the api kind, as is secretHash."`
		SecretHash string     `json:"secretHash,omitempty" pattern:"^([sS][hH][aA]256:)?[0-9A-Fa-f]{64}$" patternDescription:"SHA-256 in hexadecimal" example:"sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" doc:"SHA-256 of the client secret, which is never sent here. Use at least 256 random bits."`
		Scopes     []string   `json:"scopes,omitempty" maxItems:"64" example:"[\"products:read\"]"`
		Metadata   jsonObject `json:"metadata,omitempty"`
		AllowedIPs []string   `json:"allowedIps,omitempty" maxItems:"64" example:"[\"203.0.113.0/24\"]" doc:"Addresses and CIDR prefixes."`
		ExpiresAt  *time.Time `json:"expiresAt,omitempty" example:"2127-01-02T03:04:05.678Z"`
	}

	createCredentialInput struct {
		Body createCredentialRequest
	}
	mintedCredentialOutput struct {
		Status       int
		CacheControl string `header:"Cache-Control" example:"no-store"`
		Replayed     string `header:"Idempotency-Replayed" example:"true" doc:"true where the request had been made before."`
		Body         mintedCredential
	}
)

func (a *api) registerCreate() {
	op := repeatable(huma.Operation{
		OperationID: "createCredential", Method: http.MethodPost, Path: credentialsPath,
		DefaultStatus: http.StatusCreated, Tags: credentialTags, Summary: "Create a credential",
		Description: "Returns the token of a callback or webhook credential, once. An api credential has none: its secret is the caller's.",
	})
	register(a, RoleAdmin, op, slices.Concat(
		connectionProblems, []Problem{problemClientIDTaken, problemKeyReused}, bodyProblems), a.createCredential)
	a.documentReplay(credentialsPath)
}

// documentReplay adds the 200 that a repeated request gets.
func (a *api) documentReplay(path string) {
	responses := a.huma.OpenAPI().Paths[path].Post.Responses
	replay := *responses["201"]
	replay.Description = "The request had been made before: the credential that it made, without its token"
	responses["200"] = &replay
}

func (a *api) createCredential(ctx context.Context, tenant uuid.UUID, in *createCredentialInput) (*mintedCredentialOutput, error) {
	spec, err := in.Body.spec(tenant)
	if err != nil {
		return nil, err
	}
	if err := a.checkExpiry("body.expiresAt", spec.ExpiresAt); err != nil {
		return nil, err
	}
	if spec.Kind == credential.KindWebhook {
		if err := a.checkConnectionOf(ctx, spec, "body.connection"); err != nil {
			return nil, err
		}
	}
	c, token, err := a.store.Mint(ctx, spec)
	return a.minted(ctx, tenant, c, token, err)
}

// minted answers with what a mint or a rotation returned.
func (a *api) minted(ctx context.Context, tenant uuid.UUID, c credential.Credential, token string, err error) (*mintedCredentialOutput, error) {
	out := &mintedCredentialOutput{Status: http.StatusCreated, CacheControl: noStore}
	var replay *store.ReplayError
	if errors.As(err, &replay) {
		out.Status, out.Replayed = http.StatusOK, "true"
		c, err = a.store.Get(ctx, store.Ref{Tenant: tenant, ID: replay.Credential})
	}
	if err != nil {
		return nil, err
	}
	out.Body = mintedCredential{Credential: a.show(&c), Token: token}
	switch {
	case token == "":
	case c.Kind == credential.KindWebhook:
		out.Body.WebhookURL = a.webhookURL(c.Vendor, token)
	case c.Kind == credential.KindCallback:
		out.Body.WebhookURLHint = a.callbackURLHint()
	}
	return out, nil
}

func (r *createCredentialRequest) spec(tenant uuid.UUID) (credential.Spec, error) {
	spec := credential.Spec{
		Tenant: tenant, Kind: credential.Kind(r.Kind), Label: r.Label, Vendor: r.Vendor, Connection: r.Connection,
		ClientID: r.ClientID, Scopes: r.Scopes, Metadata: string(r.Metadata),
	}
	var err error
	if spec.AllowedIPs, err = parseIPs(r.AllowedIPs); err != nil {
		return spec, refuse(problemInvalid).at("body.allowedIps", err.Error())
	}
	if r.ExpiresAt != nil {
		if r.ExpiresAt.IsZero() { // which would mean never, and some programs write for unset
			return spec, refuse(problemInvalid).at("body.expiresAt", "expected a time in the future")
		}
		spec.ExpiresAt = *r.ExpiresAt
	}
	if spec.SecretHash, err = parseSHA256(r.SecretHash); err != nil {
		return spec, refuse(problemInvalid).at("body.secretHash", err.Error())
	}
	return spec, nil
}

// checkExpiry refuses an expiry that has passed: it is a mistake, and the credential
// that it would make never works. Zero is none.
func (a *api) checkExpiry(location string, expiresAt time.Time) error {
	if !expiresAt.IsZero() && !expiresAt.After(a.store.Now()) {
		return refuse(problemInvalid).at(location, "expected a time in the future")
	}
	return nil
}

var errNotSHA256 = errors.New("expected a SHA-256 as 64 hexadecimal digits, with or without sha256: before it")

// parseSHA256 reads a digest; "" is the zero digest.
func parseSHA256(text string) (credential.Digest, error) {
	var d credential.Digest
	if text == "" {
		return d, nil
	}
	const prefix = "sha256:"
	if len(text) > len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
		text = text[len(prefix):]
	}
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(d) {
		return d, errNotSHA256
	}
	return credential.Digest(raw), nil
}
