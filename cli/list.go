package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/admin/api"
)

func getCommand(server *settings) *cobra.Command {
	cmd := &cobra.Command{Use: "get <id> [flags]", Short: "Shows one credential"}
	output := outputFlag(cmd)
	cmd.RunE = aboutOne(output, func(cmd *cobra.Command, id string) error {
		client, err := server.client()
		if err != nil {
			return err
		}
		return printOne(cmd, client, call{method: http.MethodGet, path: api.CredentialsPath + "/" + id}, *output)
	})
	return cmd
}

func listCommand(server *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [flags]",
		Short: "Lists credentials",
		Long: `
Lists the credentials of your tenant, newest first, revoked ones too. With --output
json every line is a credential as the admin API has it.`,
		Example: `  hookgate credentials list --kind callback --status active
  hookgate credentials list --status active --expires-before 30d
  hookgate credentials list --unused-since 90d --all --output json`,
	}
	var kind, status, label, search, unused, expires string
	flags := cmd.Flags()
	flags.StringVar(&kind, "kind", "", "callback, webhook or api")
	flags.StringVar(&status, "status", "", "active, grace, disabled, expired or revoked")
	flags.StringVar(&label, "label", "", "Exactly this label")
	flags.StringVar(&search, "search", "", "Part of the label, client id, vendor or connection, or an id")
	flags.StringVar(&unused, "unused-since", "", "Not used since a time, or for a duration such as 90d, or ever")
	flags.StringVar(&expires, "expires-before", "", "Expires, or has expired, before a time, or within a duration such as 30d")
	suggest(cmd, "kind", api.Kinds)
	suggest(cmd, "status", api.Statuses)
	bounds := boundFlags(cmd)
	output := outputFlag(cmd)
	cmd.RunE = FinishWith(func(cmd *cobra.Command, args []string) error {
		err := errors.Join(NoArgument(args), OneOf("kind", kind, api.Kinds), OneOf("status", status, api.Statuses), OneOf("output", *output, outputs), bounds.check(cmd))
		if err != nil {
			return err
		}
		query := url.Values{}
		setQuery(query, "kind", kind)
		setQuery(query, "status", status)
		setQuery(query, "label", label)
		setQuery(query, "search", search)
		if since, err := sinceFlag("unused-since", unused, time.Now()); err != nil {
			return err
		} else if !since.IsZero() {
			query.Set("unusedSince", since.Format(time.RFC3339Nano))
		}
		if before, err := timeFlag("expires-before", expires, time.Now()); err != nil {
			return err
		} else if !before.IsZero() {
			query.Set("expiresBefore", before.Format(time.RFC3339Nano))
		}
		client, err := server.client()
		if err != nil {
			return err
		}
		row := func(raw json.RawMessage) ([]string, error) {
			var c shownCredential
			err := json.Unmarshal(raw, &c)
			return c.row(time.Now()), err
		}
		return printList(cmd, client.pages(api.CredentialsPath, "credentials", query), bounds, credentialColumns, row, *output)
	})
	return cmd
}

func setQuery(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}

// sinceFlag reads a time, or how long ago it was. "" is the zero time.
func sinceFlag(flag, text string, now time.Time) (time.Time, error) {
	if d, err := parseDuration(text); err == nil && d > 0 {
		return now.Add(-d).UTC().Truncate(time.Millisecond), nil
	}
	return timeFlag(flag, text, now)
}

// bounds say how much of a list is wanted.
type bounds struct {
	limit int
	all   bool
}

func boundFlags(cmd *cobra.Command) *bounds {
	b := new(bounds)
	cmd.Flags().IntVar(&b.limit, "limit", api.DefaultPage, "How many at most")
	cmd.Flags().BoolVar(&b.all, "all", false, "All of them")
	return b
}

func (b *bounds) check(cmd *cobra.Command) error {
	switch {
	case b.all && cmd.Flags().Changed("limit"):
		return Usagef("either --limit or --all")
	case b.limit < 1:
		return Usagef("--limit must be at least 1")
	}
	return nil
}

// pages is a list of the admin API, which is read page by page.
type pages struct {
	client  *operatorClient
	path    string
	member  string // of the answer that holds the entries
	query   url.Values
	done    bool
	entries []json.RawMessage // of the page that was read last
}

func (c *operatorClient) pages(path, member string, query url.Values) *pages {
	return &pages{client: c, path: path, member: member, query: query}
}

// next reads the next page, of at most limit entries, and reports whether there was
// one. A page may be empty and still have a next one.
func (p *pages) next(ctx context.Context, limit int) (bool, error) {
	if p.done {
		return false, nil
	}
	p.query.Set("limit", strconv.Itoa(min(limit, api.MaxPage)))
	var answer map[string]json.RawMessage
	if _, err := p.client.do(ctx, call{method: http.MethodGet, path: p.path, query: p.query}, &answer); err != nil {
		return false, err
	}
	var cursor string
	p.entries = nil
	err := json.Unmarshal(answer[p.member], &p.entries)
	if next := answer["nextCursor"]; err == nil && next != nil {
		err = json.Unmarshal(next, &cursor)
	}
	if err != nil || cursor != "" && cursor == p.query.Get("cursor") {
		return false, errors.New("the server answers, but not as Hookgate does")
	}
	p.done = cursor == ""
	p.query.Set("cursor", cursor)
	return true, nil
}

// printList prints a list as far as it is wanted: as JSON page by page, as a table at
// the end, which is when the widths of its columns are known.
func printList(cmd *cobra.Command, list *pages, b *bounds, columns []string, row func(json.RawMessage) ([]string, error), output string) error {
	return printListTo(cmd, cmd.OutOrStdout(), list, b, columns, row, output)
}

func printListTo(cmd *cobra.Command, out io.Writer, list *pages, b *bounds, columns []string, row func(json.RawMessage) ([]string, error), output string) error {
	rows := [][]string{columns}
	for left := b.limit; left > 0; {
		want := left
		if b.all {
			want = api.MaxPage
		}
		more, err := list.next(cmd.Context(), want)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		for _, entry := range list.entries {
			if output == outputJSON {
				err = writeJSON(out, entry)
			} else {
				var cells []string
				cells, err = row(entry)
				rows = append(rows, cells)
			}
			if err != nil {
				return err
			}
		}
		if !b.all {
			left -= len(list.entries)
		}
	}
	if output == outputTable {
		if err := writeTable(out, rows); err != nil {
			return err
		}
	}
	if !list.done {
		fmt.Fprintln(cmd.ErrOrStderr(), "There may be more: give --all, or a larger --limit.")
	}
	return nil
}
