package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/store"
)

type (
	auditInput struct {
		CredentialID credentialID `query:"credentialId" format:"uuid"`
		Action       string       `query:"action" enum:"mint,import,rotate,finish,update,revoke,refused"`
		Limit        int          `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		Cursor       string       `query:"cursor" maxLength:"200"`
	}
)

func (a *admin) registerAudit() {
	register(a, bearer.ReadAll, huma.Operation{
		OperationID: "listAuditEntries", Method: http.MethodGet, Path: api.AuditPath,
		Tags: []string{"Audit"}, Summary: "Read the audit log",
		Description: "The tenant's, newest first: every change, written in the same step as the change itself, " +
			"and refusals of operators, of which a burst is thinned out. " +
			"With a filter a page may be short of the limit, or empty, and still have a next one.",
	}, nil, a.listAudit)
	documentList[api.AuditList](a, api.AuditPath)
}

func (a *admin) listAudit(ctx context.Context, tenant uuid.UUID, in *auditInput) (*listOutput, error) {
	entries, next, err := a.store.Audit(ctx, tenant, store.AuditQuery{
		Credential: uuid.UUID(in.CredentialID), Action: in.Action, Limit: in.Limit, Cursor: in.Cursor,
	})
	if err != nil {
		return nil, badCursor(err)
	}
	return a.listed(ctx, "entries", func(l *listing) (string, error) {
		for _, e := range entries {
			shown := api.AuditEntry{
				ID: e.ID, At: e.At, Actor: e.Actor, Action: e.Action, Kind: string(e.Kind),
				Reason: e.Reason, RequestID: e.RequestID, Detail: e.Detail, Changes: api.JSONObject(e.Changes),
			}
			if e.Credential != uuid.Nil {
				shown.CredentialID = e.Credential.String()
			}
			l.add(shown)
		}
		return next, nil
	}), nil
}
