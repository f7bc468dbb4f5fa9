// Package cli has the commands for operators: a client of the admin API.
package cli

import "github.com/spf13/cobra"

// Credentials puts the commands that manage credentials below cmd.
func Credentials(cmd *cobra.Command) {
	cmd.Use = "credentials mint|list|get|update|rotate|signing-secret|finish|disable|enable|revoke|verify|import|export"
	cmd.Short = "Manages credentials over the admin API"
	cmd.Long = `
Mints, lists, changes, rotates and revokes the credentials of your tenant over the admin API
of a running server. It is found by --server or HOOKGATE_SERVER, and believes you by
the JWT in --token-file or HOOKGATE_TOKEN; a file hookgate/config.json in
$XDG_CONFIG_HOME, {"server": "...", "token_file": "..."}, saves typing.

A minted token goes to standard output, alone, and everything else to standard
error. The exit code is 0 where it is done, 1 where it was refused or failed, and 2
where the command was called wrongly.`
	server := serverFlags(cmd)
	Group(cmd,
		mintCommand(server), listCommand(server), getCommand(server), updateCommand(server), rotateCommand(server), signingSecretCommand(server), finishCommand(server),
		disableCommand(server), enableCommand(server), revokeCommand(server), verifyCommand(server), importCommand(server), exportCommand(server),
	)
}

// Audit puts the commands that read the audit log below cmd.
func Audit(cmd *cobra.Command) {
	cmd.Use = "audit list|export|verify"
	cmd.Short = "Reads the audit log over the admin API"
	cmd.Long = `
Reads the audit log of your tenant over the admin API of a running server: who
changed which credential when, why, and which operators were refused. The server and
the JWT are found as the command credentials finds them. verify needs neither: it reads
what an audit sink wrote.`
	server := serverFlags(cmd)
	Group(cmd, auditListCommand(server), auditExportCommand(server), auditVerifyCommand())
}
