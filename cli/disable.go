package cli

import "github.com/spf13/cobra"

func disableCommand(server *settings) *cobra.Command {
	return changeWithReason(server, "disable", &cobra.Command{
		Use:   "disable <id> [flags]",
		Short: "Refuses the token of a credential until it is enabled again",
		Long: `
Disables a credential, and prints it. Its token is refused like a revoked one until
enable lets it in again; its expiry and its grace period run on. Disabling it again
changes nothing.`,
		Example: `  hookgate credentials disable 0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59 --reason "asked the vendor about its traffic"`,
	})
}

func enableCommand(server *settings) *cobra.Command {
	return changeWithReason(server, "enable", &cobra.Command{
		Use:   "enable <id> [flags]",
		Short: "Lets the token of a disabled credential in again",
		Long: `
Enables a disabled credential, and prints it. Its token is accepted again, unless it has
expired meanwhile. Enabling it again changes nothing.`,
	})
}
