package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

type (
	createCredentialInput struct {
		Body api.CreateCredentialRequest
	}
	mintedCredentialOutput struct {
		Status       int
		CacheControl string `header:"Cache-Control" example:"no-store"`
		Replayed     string `header:"Idempotency-Replayed" example:"true" doc:"true where the request had been made before."`
		Body         api.MintedCredential
	}
)

func (a *admin) registerCreate() {
	op := repeatable(huma.Operation{
		OperationID: "createCredential", Method: http.MethodPost, Path: api.CredentialsPath,
		DefaultStatus: http.StatusCreated, Tags: credentialTags, Summary: "Create a credential",
		Description: "Returns the token of a callback or webhook credential, once. An api credential has none: its secret is the caller's.",
	})
	register(a, bearer.Mint, op, slices.Concat(
		tenantProblems, connectionProblems, []problem.Problem{problem.ClientIDTaken, problem.KeyReused, problem.NotSealable}, bodyProblems, mirrorProblems(problem.NotKept)), a.createCredential)
	a.documentReplay(api.CredentialsPath)
}

// documentReplay adds the 200 that a repeated request gets.
func (a *admin) documentReplay(path string) {
	responses := a.huma.OpenAPI().Paths[path].Post.Responses
	replay := *responses["201"]
	replay.Description = "The request had been made before: the credential that it made, without its token"
	responses["200"] = &replay
}

func (a *admin) createCredential(ctx context.Context, tenant uuid.UUID, in *createCredentialInput) (*mintedCredentialOutput, error) {
	spec, err := specOf(tenant, &in.Body)
	if err != nil {
		return nil, err
	}
	if err := a.checkExpiry("body.expiresAt", spec.ExpiresAt); err != nil {
		return nil, err
	}
	if spec.Kind == credential.KindWebhook {
		if err := a.checkConnection(ctx, spec, "body.vendor", "body.connection"); err != nil {
			return nil, err
		}
	}
	if a.mirror != nil && spec.Kind != credential.KindAPI {
		made, err := a.mintAtMatcher(ctx, spec)
		return a.minted(ctx, tenant, made.credential, made.secret.Token, err)
	}
	c, token, err := a.mint(ctx, spec)
	return a.minted(ctx, tenant, c, token, err)
}

// minted answers with what a mint or a rotation returned.
func (a *admin) minted(ctx context.Context, tenant uuid.UUID, c credential.Credential, token string, err error) (*mintedCredentialOutput, error) {
	out := &mintedCredentialOutput{Status: http.StatusCreated, CacheControl: noStore}
	var replay *store.ReplayError
	if errors.As(err, &replay) {
		out.Status, out.Replayed = http.StatusOK, "true"
		c, err = a.store.Get(ctx, store.Ref{Tenant: tenant, ID: replay.Credential})
	}
	if err != nil {
		return nil, err
	}
	out.Body = api.MintedCredential{Credential: a.show(&c), Token: token}
	switch {
	case token == "":
	case c.Kind == credential.KindWebhook:
		out.Body.WebhookURL = a.webhookURL(&c, token)
	case c.Kind == credential.KindCallback:
		out.Body.WebhookURLHint = a.callbackURLHint()
	}
	return out, nil
}

// checkExpiry refuses an expiry that has passed: it is a mistake, and the credential
// that it would make never works. Zero is none.
func (a *admin) checkExpiry(location string, expiresAt time.Time) error {
	if !expiresAt.IsZero() && !expiresAt.After(a.store.Now()) {
		return refuse(problem.Invalid).at(location, "expected a time in the future")
	}
	return nil
}
