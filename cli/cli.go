// Package cli has the commands for operators: a client of the admin API.
package cli

import (
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store"
)

// The words that flags take.
var (
	kinds    = []string{string(credential.KindCallback), string(credential.KindWebhook), string(credential.KindAPI)}
	statuses = []string{string(credential.StatusActive), string(credential.StatusGrace), string(credential.StatusExpired), string(credential.StatusRevoked)}
	actions  = []string{
		store.ActionMint, store.ActionImport, store.ActionRotate, store.ActionFinish, store.ActionUpdate, store.ActionRevoke, store.ActionRefused,
	}
)

const (
	credentialsPath = "/v1/credentials"
	auditPath       = "/v1/audit"
)
