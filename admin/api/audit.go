package api

import "time"

// AuditEntry is one change, or one refusal of an operator.
type AuditEntry struct {
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

// AuditList is a page of the audit log.
type AuditList struct {
	Entries    []AuditEntry `json:"entries" nullable:"false"`
	NextCursor string       `json:"nextCursor,omitempty" example:"MTc2NzMyMzA0NTY3OC0w" doc:"Asks for the next page; absent on the last."`
}
