package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/admin/api"
)

func mintCommand(server *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mint --kind <callback|webhook|api> [flags]",
		Short: "Mints a credential",
		Long: `
Mints a credential. The token of a callback or webhook credential is printed once,
alone on standard output. An api credential has none: its secret is yours, and only
the SHA-256 of it is sent.`,
		Example: `  hookgate credentials mint --kind callback --label JIRA --out jira.token
  hookgate credentials mint --kind webhook --vendor pluggy --connection pluggy-main --expires 90d
  hookgate credentials mint --kind api --client-id billing --secret-hash sha256:... --scope products:read`,
	}
	var body api.CreateCredentialRequest
	var expires, metadata, key string
	flags := cmd.Flags()
	flags.StringVar(&body.Kind, "kind", "", "callback, webhook or api; required")
	flags.StringVar(&body.Label, "label", "", "What it is for; of a callback credential, the external system that Matcher is told")
	flags.StringVar(&body.Vendor, "vendor", "", "The vendor of a webhook credential; a callback credential can have one, too")
	flags.StringVar(&body.Connection, "connection", "", "The aggregator connection of a webhook credential")
	flags.StringVar(&expires, "expires", "", "When it ends: a time such as 2027-01-02T03:04:05Z, or from now, such as 90d")
	flags.StringArrayVar(&body.AllowedIPs, "allow-ip", nil, "An address or CIDR prefix that it works from; can be repeated")
	flags.StringVar(&body.ClientID, "client-id", "", "The client id of an api credential")
	flags.StringVar(&body.SecretHash, "secret-hash", "", "The SHA-256 of the secret of an api credential, in hexadecimal")
	flags.StringArrayVar(&body.Scopes, "scope", nil, "What an api credential may do; can be repeated")
	flags.StringVar(&metadata, "metadata", "", "A JSON object that is kept with it")
	flags.StringVar(&key, "idempotency-key", "", "Names this mint, so that it can be repeated without minting twice")
	var verify verifyFlags
	verify.add(cmd)
	suggest(cmd, "kind", api.Kinds)
	output, out := outputFlag(cmd), OutFlag(cmd)
	cmd.RunE = FinishWith(func(cmd *cobra.Command, args []string) error {
		if body.Kind == "" {
			return Usagef("--kind is missing: callback, webhook or api")
		}
		if err := errors.Join(NoArgument(args), OneOf("kind", body.Kind, api.Kinds), OneOf("output", *output, outputs)); err != nil {
			return err
		}
		at, err := timeFlag("expires", expires, time.Now())
		if err != nil {
			return err
		}
		if !at.IsZero() {
			body.ExpiresAt = &at
		}
		if body.Metadata, err = objectFlag("metadata", metadata); err != nil {
			return err
		}
		if body.Verify, err = verify.settings(); err != nil {
			return err
		}
		return mint(cmd, server, call{method: http.MethodPost, path: api.CredentialsPath, body: body, key: key}, *output, *out)
	})
	return cmd
}

var errNoToken = errors.New("this was done before with the same idempotency key, and the token was shown then; rotate the credential to get another")

// mint makes a call that answers with a new credential, and prints it. The token is
// printed first: nobody can show it again.
func mint(cmd *cobra.Command, server *settings, call call, output, path string) error {
	client, err := server.client()
	if err != nil {
		return err
	}
	return To(cmd, path, InParts, func(out io.Writer) error { return mintTo(cmd, out, client, call, output, path != "") })
}

// tokenInURL stands for the token in a URL that is printed where the token is not.
const tokenInURL = "{token}"

// mintTo writes what was minted to out, which is a file where hidden is true: then the token
// does not get on the screen in a URL either.
func mintTo(cmd *cobra.Command, out io.Writer, client *operatorClient, call call, output string, hidden bool) error {
	var answer json.RawMessage
	status, err := client.do(cmd.Context(), call, &answer)
	if err != nil {
		return err
	}
	var made api.MintedCredential
	if err := json.Unmarshal(answer, &made); err != nil || made.ID == "" {
		return errors.New("the server answers, but not as Hookgate does")
	}
	if output == outputJSON {
		err = writeJSON(out, answer)
	} else if made.Token != "" {
		_, err = fmt.Fprintln(out, made.Token)
	}
	if err != nil {
		return fmt.Errorf("credential %s is made, but its token could not be written, and is lost: %w", made.ID, err)
	}
	if output == outputTable {
		if err := writeCredential(cmd.ErrOrStderr(), answer, output); err != nil {
			return err
		}
		url := made.WebhookURL
		if hidden && made.Token != "" {
			url = strings.ReplaceAll(url, made.Token, tokenInURL)
		}
		if url = cmp.Or(url, made.WebhookURLHint); url != "" {
			fmt.Fprintf(cmd.ErrOrStderr(), "The vendor posts to %s\n", printable(url))
		}
	}
	if replayed := status == http.StatusOK; replayed && made.Token == "" && made.Kind != api.KindAPI {
		return errNoToken
	}
	return nil
}

// timeFlag reads a time, or a duration from now. "" is the zero time.
func timeFlag(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		var d time.Duration
		if d, err = parseDuration(text); err == nil && d > 0 {
			t = now.Add(d).UTC().Truncate(time.Millisecond)
		}
	}
	switch {
	case t.After(api.LatestExpiry):
		return time.Time{}, Usagef("--%s must be at most %s", flag, api.LatestExpiry.Format(time.RFC3339))
	case err == nil && !t.IsZero():
		return t, nil
	}
	return time.Time{}, Usagef("--%s must be a time such as 2027-01-02T03:04:05Z or a duration such as 90d", flag)
}

func objectFlag(flag, text string) (object api.JSONObject, err error) {
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &object); err != nil || object == nil {
		return nil, Usagef("--%s must be a JSON object", flag)
	}
	return object, nil
}
