package caddymodule

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/store"
)

// The words that flags take.
var (
	kinds    = []string{string(store.KindCallback), string(store.KindWebhook), string(store.KindAPI)}
	statuses = []string{string(store.StatusActive), string(store.StatusGrace), string(store.StatusExpired), string(store.StatusRevoked)}
	actions  = []string{
		store.ActionMint, store.ActionImport, store.ActionRotate, store.ActionFinish, store.ActionUpdate, store.ActionRevoke, store.ActionRefused,
	}
)

const (
	credentialsPath = "/v1/credentials"
	auditPath       = "/v1/audit"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "credentials",
		Usage: "mint|list|get|rotate|finish|revoke|verify|import|export",
		Short: "Manages credentials over the admin API",
		Long: `
Mints, lists, rotates and revokes the credentials of your tenant over the admin API
of a running server. It is found by --server or HOOKGATE_SERVER, and believes you by
the JWT in --token-file or HOOKGATE_TOKEN; a file hookgate/config.json in
$XDG_CONFIG_HOME, {"server": "...", "token_file": "..."}, saves typing.

A minted token goes to standard output, alone, and everything else to standard
error. The exit code is 0 where it is done, 1 where it was refused or failed, and 2
where the command was called wrongly.`,
		CobraFunc: func(cmd *cobra.Command) {
			server := new(operatorFlags)
			server.register(cmd)
			group(cmd,
				mintCommand(server), listCommand(server), getCommand(server), rotateCommand(server), finishCommand(server),
				revokeCommand(server), verifyCommand(server), importCommand(server), exportCommand(server),
			)
		},
	})
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "audit",
		Usage: "list",
		Short: "Reads the audit log over the admin API",
		Long: `
Reads the audit log of your tenant over the admin API of a running server: who
changed which credential when, why, and which operators were refused. The server and
the JWT are found as the command credentials finds them.`,
		CobraFunc: func(cmd *cobra.Command) {
			server := new(operatorFlags)
			server.register(cmd)
			group(cmd, auditListCommand(server))
		},
	})
}
