package cli

import (
	"net/http"

	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/admin/api"
)

func signingSecretCommand(server *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "signing-secret <id> --secret-file <file> | --secret-env <name> [flags]",
		Short: "Replaces the secret by which a vendor signs",
		Long: `
Puts a new secret in place of the first one by which the senders of a credential prove
themselves. With --grace the old one verifies as well until the grace period ends, in
which the vendor can be given the new one.`,
		Example: `  hookgate credentials signing-secret 0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59 --secret-file stripe.secret --grace 24h`,
	}
	var body api.SigningSecretRequest
	var file, env, grace string
	flags := cmd.Flags()
	flags.StringVar(&file, "secret-file", "", "A file that holds the new secret")
	flags.StringVar(&env, "secret-env", "", "A variable that holds the new secret")
	flags.StringVar(&grace, "grace", "", "How long the old secret verifies as well, such as 24h; at most 7d")
	flags.BoolVar(&body.Force, "force", false, "End the grace period of an earlier change, if one is open")
	flags.StringVar(&body.Reason, "reason", "", "Why, for the audit log")
	output := outputFlag(cmd)
	cmd.RunE = aboutOne(output, func(cmd *cobra.Command, id string) error {
		if (file == "") == (env == "") {
			return Usagef("either --secret-file or --secret-env")
		}
		var err error
		if body.GracePeriodSeconds, err = graceSeconds(grace); err != nil {
			return err
		}
		var files, envs []string
		if file != "" {
			files = []string{file}
		} else {
			envs = []string{env}
		}
		secrets, err := secretsOf(files, envs)
		if err != nil {
			return err
		}
		body.Secret = secrets[0]
		return change(cmd, server, call{method: http.MethodPost, path: api.CredentialsPath + "/" + id + "/signing-secret", body: body}, *output)
	})
	return cmd
}
