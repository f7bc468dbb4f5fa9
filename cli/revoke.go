package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hookgate/hookgate/admin/api"
)

func finishCommand(server *settings) *cobra.Command {
	return changeWithReason(server, "finish", &cobra.Command{
		Use:   "finish <id> [flags]",
		Short: "Ends the grace period of a rotation now",
		Long: `
Revokes the credential that a rotation has left in its grace period, named by its own
id or by that of its successor, and prints it.`,
	})
}

func revokeCommand(server *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revoke <id> [flags]",
		Short: "Ends a credential for good",
		Long: `
Ends a credential for good, and prints it. On a terminal it shows the credential and
asks before; elsewhere, and with --yes, it does not.`,
	}
	yes := cmd.Flags().Bool("yes", false, "Do not ask")
	return changeWithReason(server, "revoke", cmd, func(client *operatorClient, id string) error {
		if *yes || !term.IsTerminal(int(os.Stdin.Fd())) {
			return nil
		}
		return confirmRevoke(cmd, client, id)
	})
}

var errNotConfirmed = errors.New("not revoked")

// confirmRevoke shows what is going to end, since one id looks like another, and
// asks.
func confirmRevoke(cmd *cobra.Command, client *operatorClient, id string) error {
	var shown json.RawMessage
	if _, err := client.do(cmd.Context(), call{method: http.MethodGet, path: api.CredentialsPath + "/" + id}, &shown); err != nil {
		return err
	}
	prompt := cmd.ErrOrStderr()
	if err := writeCredential(prompt, shown, outputTable); err != nil {
		return err
	}
	fmt.Fprint(prompt, "Revoke it for good? [y/N] ")
	answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return errNotConfirmed
	}
	if word := strings.ToLower(strings.TrimSpace(answer)); word != "y" && word != "yes" {
		return errNotConfirmed
	}
	return nil
}

// changeWithReason makes cmd the command of an operation that takes an id and a reason. It
// asks for nothing where one of before returns an error.
func changeWithReason(server *settings, operation string, cmd *cobra.Command, before ...func(*operatorClient, string) error) *cobra.Command {
	var body api.ChangeReasonRequest
	cmd.Flags().StringVar(&body.Reason, "reason", "", "Why, for the audit log")
	output := outputFlag(cmd)
	cmd.RunE = aboutOne(output, func(cmd *cobra.Command, id string) error {
		client, err := server.client()
		if err != nil {
			return err
		}
		for _, check := range before {
			if err := check(client, id); err != nil {
				return err
			}
		}
		return printOne(cmd, client, call{method: http.MethodPost, path: api.CredentialsPath + "/" + id + "/" + operation, body: body}, *output)
	})
	return cmd
}

// printOne makes a call that answers with a credential, and prints that.
func printOne(cmd *cobra.Command, client *operatorClient, call call, output string) error {
	var answer json.RawMessage
	if _, err := client.do(cmd.Context(), call, &answer); err != nil {
		return err
	}
	return writeCredential(cmd.OutOrStdout(), answer, output)
}
