package command

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/cli"
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
			server := new(cli.Flags)
			server.Register(cmd)
			cli.Group(cmd,
				cli.MintCommand(server), cli.ListCommand(server), cli.GetCommand(server), cli.RotateCommand(server), cli.FinishCommand(server),
				cli.RevokeCommand(server), cli.VerifyCommand(server), cli.ImportCommand(server), cli.ExportCommand(server),
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
			server := new(cli.Flags)
			server.Register(cmd)
			cli.Group(cmd, cli.AuditListCommand(server))
		},
	})
}
