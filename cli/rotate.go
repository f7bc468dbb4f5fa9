package cli

import (
	"net/http"

	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/admin/api"
)

func rotateCommand(server *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate <id> [flags]",
		Short: "Replaces a credential by a new one",
		Long: `
Replaces a live credential by a new one with the same label and bindings, and prints
its token as mint does. Without --grace the old one is refused at once; with it both
are accepted until the grace period ends, or until finish ends it.`,
		Example: `  hookgate credentials rotate 0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59 --grace 24h --reason "yearly rotation"`,
	}
	var body api.RotateCredentialRequest
	var grace, key string
	flags := cmd.Flags()
	flags.StringVar(&grace, "grace", "", "How long the old credential goes on being accepted, such as 24h; at most 7d")
	flags.BoolVar(&body.Force, "force", false, "End the grace period of an earlier rotation, if one is open")
	flags.StringVar(&body.Reason, "reason", "", "Why, for the audit log")
	flags.StringVar(&body.SecretHash, "secret-hash", "", "The SHA-256 of the new secret; required for an api credential, and for no other")
	flags.StringVar(&key, "idempotency-key", "", "Names this rotation, so that it can be repeated without rotating twice")
	output, out := outputFlag(cmd), OutFlag(cmd)
	cmd.RunE = aboutOne(output, func(cmd *cobra.Command, id string) error {
		var err error
		if body.GracePeriodSeconds, err = graceSeconds(grace); err != nil {
			return err
		}
		return mint(cmd, server, call{method: http.MethodPost, path: api.CredentialsPath + "/" + id + "/rotate", body: body, key: key}, *output, *out)
	})
	return cmd
}
