package api

import "time"

// AuditEntry is one change, or one refusal of an operator.
type AuditEntry struct {
	ID           string    `json:"id"`
	At           time.Time `json:"at"`
	Actor        string    `json:"actor,omitempty"`
	Action       string    `json:"action" enum:"mint,import,rotate,finish,update,disable,enable,revoke,refused"`
	CredentialID string    `json:"credentialId,omitempty" format:"uuid"`
	Kind         string    `json:"kind,omitempty" enum:"callback,webhook,api"`
	Label        string    `json:"label,omitempty"`
	Reason       string    `json:"reason,omitempty"`
	Address      string    `json:"address,omitempty"`
	RequestID    string    `json:"requestId,omitempty"`
	Detail       string    `json:"detail,omitempty"`
	// Changes are what a field was and what it became, by the field. No secret is in them.
	Changes JSONObject `json:"changes,omitempty"`
}

// AuditList is a page of the audit log.
type AuditList struct {
	Entries    []AuditEntry `json:"entries" nullable:"false"`
	NextCursor string       `json:"nextCursor,omitempty"`
}
