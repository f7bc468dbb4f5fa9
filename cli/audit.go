package cli

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/admin/api"
)

// shownEntry is an audit entry as people get to see it.
type shownEntry api.AuditEntry

var auditColumns = []string{"AT", "ACTION", "KIND", "CREDENTIAL", "ACTOR", "REASON", "DETAIL", "REQUEST"}

func (e *shownEntry) row() []string {
	return []string{e.At.UTC().Format(time.RFC3339), e.Action, e.Kind, e.CredentialID, e.Actor, e.Reason, e.Detail, e.RequestID}
}

func auditListCommand(server *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [flags]",
		Short: "Lists entries of the audit log",
		Long: `
Lists entries of the audit log of your tenant, newest first. With --output json every
line is an entry as the admin API has it.`,
		Example: `  hookgate audit list --action revoke
  hookgate audit list --credential 0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59 --all --output json`,
	}
	var credential, action string
	cmd.Flags().StringVar(&credential, "credential", "", "Only of the credential with this id")
	cmd.Flags().StringVar(&action, "action", "", strings.Join(api.Actions, ", "))
	suggest(cmd, "action", api.Actions)
	bounds := boundFlags(cmd)
	output := outputFlag(cmd)
	cmd.RunE = FinishWith(func(cmd *cobra.Command, args []string) error {
		err := errors.Join(NoArgument(args), OneOf("action", action, api.Actions), OneOf("output", *output, outputs), bounds.check(cmd))
		if err != nil {
			return err
		}
		query := url.Values{}
		setQuery(query, "action", action)
		if credential != "" {
			id, err := uuid.Parse(credential)
			if err != nil {
				return Usagef("--credential must be the id of a credential, a UUID")
			}
			query.Set("credentialId", id.String())
		}
		client, err := server.client()
		if err != nil {
			return err
		}
		row := func(raw json.RawMessage) ([]string, error) {
			var e shownEntry
			err := json.Unmarshal(raw, &e)
			return e.row(), err
		}
		return printList(cmd, client.pages(api.AuditPath, "entries", query), bounds, auditColumns, row, *output)
	})
	return cmd
}
