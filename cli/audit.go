package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/admin/api"
)

// shownEntry is an audit entry as people get to see it.
type shownEntry api.AuditEntry

var auditColumns = []string{"AT", "ACTION", "KIND", "CREDENTIAL", "LABEL", "ACTOR", "ADDRESS", "CHANGES", "REASON", "DETAIL", "REQUEST"}

func (e *shownEntry) row() []string {
	return []string{
		e.At.UTC().Format(time.RFC3339), e.Action, e.Kind, e.CredentialID, e.Label, e.Actor, e.Address,
		showChanges(e.Changes), e.Reason, e.Detail, e.RequestID,
	}
}

// showChanges shows what changed in one line. What it cannot read it shows as it is.
func showChanges(changes api.JSONObject) string {
	var fields map[string]struct{ From, To json.RawMessage }
	if json.Unmarshal([]byte(changes), &fields) != nil {
		return string(changes)
	}
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		texts = append(texts, name+" "+compact(fields[name].From)+" -> "+compact(fields[name].To))
	}
	return strings.Join(texts, ", ")
}

func compact(value json.RawMessage) string {
	var text bytes.Buffer
	if json.Compact(&text, value) != nil {
		return "?"
	}
	return text.String()
}

// auditFilter selects entries.
type auditFilter struct{ credential, action, actor, since, until string }

func auditFilterFlags(cmd *cobra.Command) *auditFilter {
	f := new(auditFilter)
	flags := cmd.Flags()
	flags.StringVar(&f.credential, "credential", "", "Only of the credential with this id")
	flags.StringVar(&f.action, "action", "", strings.Join(api.Actions, ", "))
	flags.StringVar(&f.actor, "actor", "", "Only of exactly this operator")
	flags.StringVar(&f.since, "since", "", "Only since a time such as 2027-01-02T03:04:05Z, or for a duration such as 90d")
	flags.StringVar(&f.until, "until", "", "Only before a time, or before a duration ago")
	suggest(cmd, "action", api.Actions)
	return f
}

func (f *auditFilter) query(now time.Time) (url.Values, error) {
	query := url.Values{}
	setQuery(query, "action", f.action)
	setQuery(query, "actor", f.actor)
	if f.credential != "" {
		id, err := uuid.Parse(f.credential)
		if err != nil {
			return nil, Usagef("--credential must be the id of a credential, a UUID")
		}
		query.Set("credentialId", id.String())
	}
	for name, text := range map[string]string{"since": f.since, "until": f.until} {
		at, err := sinceFlag(name, text, now)
		if err != nil {
			return nil, err
		}
		if !at.IsZero() {
			query.Set(name, at.Format(time.RFC3339Nano))
		}
	}
	return query, OneOf("action", f.action, api.Actions)
}

func auditListCommand(server *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [flags]",
		Short: "Lists entries of the audit log",
		Long: `
Lists entries of the audit log of your tenant, newest first. With --output json every
line is an entry as the admin API has it.`,
		Example: `  hookgate audit list --action revoke
  hookgate audit list --actor alice@example.com --since 7d
  hookgate audit list --credential 0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59 --all --output json`,
	}
	filter := auditFilterFlags(cmd)
	bounds := boundFlags(cmd)
	output := outputFlag(cmd)
	cmd.RunE = FinishWith(func(cmd *cobra.Command, args []string) error {
		query, err := filter.query(time.Now())
		if err := errors.Join(NoArgument(args), err, OneOf("output", *output, outputs), bounds.check(cmd)); err != nil {
			return err
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

func auditExportCommand(server *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export [flags]",
		Short: "Writes the audit log as JSON lines",
		Long: `
Writes the entries of the audit log of your tenant to standard output or a new file,
oldest first, one JSON object a line, as the admin API has them. A file is whole or not
there at all.`,
		Example: `  hookgate audit export --since 2027-01-01T00:00:00Z --out audit.jsonl`,
	}
	filter, out := auditFilterFlags(cmd), OutFlag(cmd)
	cmd.RunE = FinishWith(func(cmd *cobra.Command, args []string) error {
		query, err := filter.query(time.Now())
		if err := errors.Join(NoArgument(args), err); err != nil {
			return err
		}
		client, err := server.client()
		if err != nil {
			return err
		}
		return To(cmd, *out, WholeOnly, func(to io.Writer) error {
			return client.copy(cmd.Context(), call{method: http.MethodGet, path: api.AuditExportPath, query: query}, to)
		})
	})
	return cmd
}
