package cli

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/admin/api"
)

func updateCommand(server *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "update <id> [flags]",
		Short: "Changes a credential",
		Long: `
Changes what the flags name, and leaves the rest as it is. The token stays. An expired
credential can be prolonged, a revoked one cannot be changed.`,
		Example: `  hookgate credentials update 0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59 --expires 90d
  hookgate credentials update 0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59 --scope products:read --metadata '{"owner": "ops"}'
  hookgate credentials update 0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59 --verify stripe --verify-secret-env STRIPE_SECRET`,
	}
	var label, expires, metadata string
	var allow, scopes []string
	var never, anywhere, powerless, bare, unverified bool
	var verify verifyFlags
	flags := cmd.Flags()
	flags.StringVar(&label, "label", "", "What it is for")
	flags.StringVar(&expires, "expires", "", "When it ends: a time such as 2027-01-02T03:04:05Z, or from now, such as 90d")
	flags.BoolVar(&never, "no-expiry", false, "It never ends")
	flags.StringArrayVar(&allow, "allow-ip", nil, "An address or CIDR prefix that it works from, in place of those it has; can be repeated")
	flags.BoolVar(&anywhere, "any-ip", false, "It works from every address")
	flags.StringArrayVar(&scopes, "scope", nil, "What an api credential may do, in place of what it might; can be repeated")
	flags.BoolVar(&powerless, "no-scopes", false, "An api credential has no scopes")
	flags.StringVar(&metadata, "metadata", "", "A JSON object that is merged into what there is, member by member; null takes a member away")
	flags.BoolVar(&bare, "no-metadata", false, "It has no metadata")
	verify.add(cmd)
	flags.BoolVar(&unverified, "no-verify", false, "Its senders prove themselves as its vendor's do")
	output := outputFlag(cmd)
	cmd.RunE = aboutOne(output, func(cmd *cobra.Command, id string) error {
		settings, err := verify.settings()
		if err != nil {
			return err
		}
		object, err := objectFlag("metadata", metadata)
		if err != nil {
			return err
		}
		if never && expires != "" || anywhere && len(allow) > 0 || powerless && len(scopes) > 0 || bare && object != nil || unverified && settings != nil {
			return Usagef("one flag takes away what the other sets")
		}
		var patch api.PatchCredentialRequest
		if flags.Changed("label") {
			patch.Label = api.Patch(label)
		}
		switch at, err := timeFlag("expires", expires, time.Now()); {
		case err != nil:
			return err
		case !at.IsZero():
			patch.ExpiresAt = api.Patch(at)
		case never:
			patch.ExpiresAt = api.Patched[time.Time]{Present: true, Null: true}
		}
		if anywhere || len(allow) > 0 {
			patch.AllowedIPs = api.Patched[[]string]{Present: true, Null: anywhere, Value: allow}
		}
		if powerless || len(scopes) > 0 {
			patch.Scopes = api.Patched[[]string]{Present: true, Null: powerless, Value: scopes}
		}
		if bare || object != nil {
			patch.Metadata = api.Patched[api.JSONObject]{Present: true, Null: bare, Value: object}
		}
		switch {
		case settings != nil:
			patch.Verify = api.Patch(*settings)
		case unverified:
			patch.Verify = api.Patched[api.VerifySettings]{Present: true, Null: true}
		}
		return change(cmd, server, call{method: http.MethodPatch, path: api.CredentialsPath + "/" + id, body: patch}, *output)
	})
	return cmd
}

// change makes a call that answers with a credential, and prints it.
func change(cmd *cobra.Command, server *settings, call call, output string) error {
	client, err := server.client()
	if err != nil {
		return err
	}
	var answer json.RawMessage
	if _, err := client.do(cmd.Context(), call, &answer); err != nil {
		return err
	}
	return writeCredential(cmd.OutOrStdout(), answer, output)
}
