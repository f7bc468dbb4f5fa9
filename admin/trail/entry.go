// Package trail is the audit log as it is shown, and the sinks by which its entries leave
// the process, each line with the hash of the one before.
package trail

import (
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/store"
)

// Show returns an entry as the API has it.
func Show(e *store.AuditEntry) api.AuditEntry {
	shown := api.AuditEntry{
		ID: e.ID, At: e.At, Actor: e.Actor, Action: e.Action, Kind: string(e.Kind), Label: e.Label,
		Reason: e.Reason, RequestID: e.RequestID, Detail: e.Detail, Changes: api.JSONObject(e.Changes),
	}
	if e.Credential != uuid.Nil {
		shown.CredentialID = e.Credential.String()
	}
	if e.Address.IsValid() {
		shown.Address = e.Address.String()
	}
	return shown
}
