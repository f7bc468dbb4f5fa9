package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

var credentialTags = []string{"Credentials"}

type (
	listCredentialsInput struct {
		Kind          string    `query:"kind" enum:"callback,webhook,api"`
		Status        string    `query:"status" enum:"active,grace,disabled,expired,revoked"`
		Label         string    `query:"label" maxLength:"128"`
		Search        string    `query:"search" maxLength:"128" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters"`
		UnusedSince   time.Time `query:"unusedSince"`
		ExpiresBefore time.Time `query:"expiresBefore"`
		HideRevoked   bool      `query:"hideRevoked"`
		Limit         int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		Cursor        string    `query:"cursor" maxLength:"200"`
	}
	oneCredentialInput struct {
		ID credentialID `path:"id" format:"uuid"`
	}
	oneCredentialOutput struct {
		Body api.Credential
	}
)

func (a *admin) registerCredentials() {
	a.registerCreate()
	register(a, bearer.Read, huma.Operation{
		OperationID: "listCredentials", Method: http.MethodGet, Path: api.CredentialsPath,
		Tags: credentialTags, Summary: "List credentials",
		Description: "Of every kind, newest first, revoked ones included, page by page. " +
			"What is made or revoked meanwhile neither repeats nor hides another one. " +
			"With a filter a page may be short of the limit, or empty, and still have a next one.",
	}, nil, a.listCredentials)
	documentList[api.CredentialList](a, api.CredentialsPath)
	register(a, bearer.Read, huma.Operation{
		OperationID: "getCredential", Method: http.MethodGet, Path: api.CredentialsPath + "/{id}",
		Tags: credentialTags, Summary: "Get a credential",
	}, []problem.Problem{problem.NotFound}, a.getCredential)
}

func (a *admin) listCredentials(ctx context.Context, tenant uuid.UUID, in *listCredentialsInput) (*listOutput, error) {
	query := store.Query{
		Kind: credential.Kind(in.Kind), Status: credential.Status(in.Status), Label: in.Label, Search: in.Search,
		UnusedSince: in.UnusedSince, ExpiresBefore: in.ExpiresBefore, HideRevoked: in.HideRevoked, Limit: in.Limit, Cursor: in.Cursor,
	}
	return a.listed(ctx, "credentials", func(l *listing) (string, error) {
		next, err := a.store.EachOfPage(ctx, tenant, query, func(part []credential.Credential) error {
			for i := range part {
				l.add(a.show(&part[i]))
			}
			return l.flush()
		})
		return next, badCursor(err)
	}), nil
}

// badCursor: the cursor is all that the store can find invalid in a query.
func badCursor(err error) error {
	if errors.Is(err, credential.ErrInvalid) {
		return refuse(problem.Invalid).at("query.cursor", "not a cursor of this list")
	}
	return err
}

func (a *admin) getCredential(ctx context.Context, tenant uuid.UUID, in *oneCredentialInput) (*oneCredentialOutput, error) {
	c, err := a.store.Get(ctx, anyKind(tenant, in.ID))
	if err != nil {
		return nil, err
	}
	out := &oneCredentialOutput{Body: a.show(&c)}
	out.Body.LastProofs = showProofs(c.Proofs)
	return out, nil
}

func (a *admin) reread(ctx context.Context, ref store.Ref) (*oneCredentialOutput, error) {
	c, err := a.store.Get(ctx, ref)
	if err != nil {
		return nil, err
	}
	return &oneCredentialOutput{Body: a.show(&c)}, nil
}

// anyKind names a credential whatever its kind.
func anyKind(tenant uuid.UUID, id credentialID) store.Ref {
	return store.Ref{Tenant: tenant, ID: uuid.UUID(id)}
}
