package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/admin/trail"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

type (
	AuditFilter struct {
		CredentialID credentialID `query:"credentialId" format:"uuid"`
		Action       string       `query:"action" enum:"mint,import,rotate,finish,update,disable,enable,revoke,refused"`
		Actor        string       `query:"actor" maxLength:"256"`
		Since        time.Time    `query:"since"`
		Until        time.Time    `query:"until"`
	}
	auditInput struct {
		AuditFilter
		Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		Cursor string `query:"cursor" maxLength:"200"`
	}
	exportAuditInput struct{ AuditFilter }
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
	register(a, bearer.ReadAll, huma.Operation{
		OperationID: "exportAuditEntries", Method: http.MethodGet, Path: api.AuditExportPath,
		Tags: []string{"Audit"}, Summary: "Export the audit log",
		Description: "All of the tenant's that the filters select, oldest first, one JSON object a line, sent while they are read. " +
			"An answer that is cut off in the middle ends without the last chunk of its transfer coding.",
	}, []problem.Problem{problem.ManyLists}, a.exportAudit)
	documentLines[api.AuditEntry](a, api.AuditExportPath)
}

func (f *AuditFilter) query() store.AuditQuery {
	return store.AuditQuery{
		Credential: uuid.UUID(f.CredentialID), Action: f.Action, Actor: f.Actor, Since: f.Since, Until: f.Until,
	}
}

func (a *admin) listAudit(ctx context.Context, tenant uuid.UUID, in *auditInput) (*listOutput, error) {
	query := in.query()
	query.Limit, query.Cursor = in.Limit, in.Cursor
	entries, next, err := a.store.Audit(ctx, tenant, query)
	if err != nil {
		return nil, badCursor(err)
	}
	return a.listed(ctx, "entries", func(l *listing) (string, error) {
		for i := range entries {
			l.add(trail.Show(&entries[i]))
		}
		return next, nil
	}), nil
}

func (a *admin) exportAudit(ctx context.Context, tenant uuid.UUID, in *exportAuditInput) (*listOutput, error) {
	return a.listed(ctx, "", func(l *listing) (string, error) {
		return "", a.store.EachAudit(ctx, tenant, in.query(), func(page []store.AuditEntry) error {
			for i := range page {
				l.add(trail.Show(&page[i]))
			}
			return l.flush()
		})
	}), nil
}
