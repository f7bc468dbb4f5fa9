package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/store"
)

type (
	auditEntry struct {
		ID           string    `json:"id" example:"1767323045678-0" doc:"Later entries have greater ones."`
		At           time.Time `json:"at" example:"2026-01-02T03:04:05.678Z"`
		Actor        string    `json:"actor,omitempty" example:"alice@example.com" doc:"The sub of the operator's bearer token; hookgate for what the server did by itself."`
		Action       string    `json:"action" enum:"mint,import,rotate,finish,update,revoke,refused" example:"revoke"`
		CredentialID string    `json:"credentialId,omitempty" format:"uuid" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59" doc:"For a rotation the old credential; detail has the id of the new one."`
		Kind         string    `json:"kind,omitempty" enum:"callback,webhook,api" example:"callback"`
		Reason       string    `json:"reason,omitempty" example:"leaked in a support ticket" doc:"In the operator's words."`
		RequestID    string    `json:"requestId,omitempty" example:"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a5b" doc:"X-Request-Id of the answer."`
		Detail       string    `json:"detail,omitempty" example:"listCredentials HKG-2403" doc:"Of a refusal the operation and code, of a rotation the new credential."`
	}
	auditList struct {
		Entries    []auditEntry `json:"entries" nullable:"false"`
		NextCursor string       `json:"nextCursor,omitempty" example:"MTc2NzMyMzA0NTY3OC0w" doc:"Asks for the next page; absent on the last."`
	}

	auditInput struct {
		CredentialID credentialID `query:"credentialId" format:"uuid" doc:"The history of this one: also the rotation that made it, which stands under the id of the one before."`
		Action       string       `query:"action" enum:"mint,import,rotate,finish,update,revoke,refused"`
		Limit        int          `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		Cursor       string       `query:"cursor" maxLength:"200" doc:"nextCursor of the page before."`
	}
	auditOutput struct {
		Body auditList
	}
)

func (a *api) registerAudit() {
	register(a, RoleViewer, huma.Operation{
		OperationID: "listAuditEntries", Method: http.MethodGet, Path: "/v1/audit",
		Tags: []string{"Audit"}, Summary: "Read the audit log",
		Description: "The tenant's, newest first: every change, written in the same step as the change itself, and refusals of operators, of which a burst is thinned out. " +
			"With a filter a page may be short of the limit, or empty, and still have a next one.",
	}, nil, a.listAudit)
}

func (a *api) listAudit(ctx context.Context, tenant uuid.UUID, in *auditInput) (*auditOutput, error) {
	entries, next, err := a.store.Audit(ctx, tenant, store.AuditQuery{
		Credential: uuid.UUID(in.CredentialID), Action: in.Action, Limit: in.Limit, Cursor: in.Cursor,
	})
	if err != nil {
		return nil, badCursor(err)
	}
	out := &auditOutput{Body: auditList{Entries: make([]auditEntry, len(entries)), NextCursor: next}}
	for i, e := range entries {
		out.Body.Entries[i] = auditEntry{
			ID: e.ID, At: e.At, Actor: e.Actor, Action: e.Action, Kind: string(e.Kind),
			Reason: e.Reason, RequestID: e.RequestID, Detail: e.Detail,
		}
		if e.Credential != uuid.Nil {
			out.Body.Entries[i].CredentialID = e.Credential.String()
		}
	}
	return out, nil
}
