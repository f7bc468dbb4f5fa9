package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/admin/api"
)

// How results are printed.
const (
	outputTable = "table" // for people: what it looks like may change
	outputJSON  = "json"  // for scripts: as the admin API has it, one object a line
)

var outputs = []string{outputTable, outputJSON}

func outputFlag(cmd *cobra.Command) *string {
	output := cmd.Flags().String("output", outputTable, "table or json")
	suggest(cmd, "output", outputs)
	return output
}

// suggest lets a shell complete the words that a flag takes.
func suggest(cmd *cobra.Command, flag string, words []string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
}

// shownCredential is a credential as people get to see it. It is read tolerantly: a
// newer server may have more to say.
type shownCredential api.Credential

// binding is what a credential is for.
func (c *shownCredential) binding() string {
	switch {
	case c.Connection != "":
		return c.Vendor + "/" + c.Connection
	case c.Vendor != "":
		return c.Vendor
	}
	return c.ClientID
}

var credentialColumns = []string{"ID", "KIND", "STATUS", "LABEL", "BINDING", "CREATED", "EXPIRES", "LAST USED"}

func (c *shownCredential) row(now time.Time) []string {
	used := "never"
	if !c.LastUsedAt.IsZero() {
		used = humanize.RelTime(c.LastUsedAt, now, "ago", "from now")
	}
	ends := c.ExpiresAt
	if !c.GraceUntil.IsZero() {
		ends = c.GraceUntil
	}
	return []string{c.ID, c.Kind, c.Status, c.Label, c.binding(), shortTime(c.CreatedAt), shortTime(ends), used}
}

// lines returns everything about a credential, a name and a value a line.
func (c *shownCredential) lines(now time.Time) (lines [][]string) {
	add := func(name, value string) {
		if value != "" {
			lines = append(lines, []string{name, value})
		}
	}
	at := func(name string, t time.Time) {
		if !t.IsZero() {
			add(name, t.UTC().Format(time.RFC3339)+" ("+humanize.RelTime(t, now, "ago", "from now")+")")
		}
	}
	add("id", c.ID)
	add("kind", c.Kind)
	add("status", c.Status)
	add("label", c.Label)
	add("token", hinted(c.TokenHint))
	add("vendor", c.Vendor)
	add("connection", c.Connection)
	add("client id", c.ClientID)
	add("scopes", strings.Join(c.Scopes, " "))
	add("allowed from", strings.Join(c.AllowedIPs, " "))
	add("metadata", string(c.Metadata))
	if v := c.Verify; v != nil {
		secrets := "secrets"
		if v.Secrets == 1 {
			secrets = "secret"
		}
		add("verify", fmt.Sprintf("%s, %d %s", v.Scheme.Text(), v.Secrets, secrets))
		at("secret changed", v.ChangedAt)
		at("old secret until", v.GraceUntil)
	}
	at("created", c.CreatedAt)
	at("expires", c.ExpiresAt)
	at("last used", c.LastUsedAt)
	for _, refusal := range c.LastRefusals {
		from := ""
		if refusal.Address != "" {
			from = " from " + refusal.Address
		}
		add("refused", refusal.At.UTC().Format(time.RFC3339)+" "+refusal.Outcome+from)
	}
	at("rotated", c.RotatedAt)
	at("grace until", c.GraceUntil)
	at("revoked", c.RevokedAt)
	add("supersedes", c.Supersedes)
	add("superseded by", c.SupersededBy)
	return lines
}

// hinted shows the beginning of a token as no more than that.
func hinted(hint string) string {
	if hint == "" {
		return ""
	}
	return hint + "..."
}

func shortTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// writeTable writes rows in columns. What is empty is a dash: a column that is blank
// all the way down looks like none.
func writeTable(w io.Writer, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if cell == "" {
				cell = "-"
			}
			end := "\t"
			if i == len(row)-1 {
				end = "\n"
			}
			fmt.Fprint(table, strings.ReplaceAll(printable(cell), "\n", " "), end)
		}
	}
	return table.Flush()
}

// writeCredential writes one credential as the server sent it, or for people.
func writeCredential(w io.Writer, raw json.RawMessage, output string) error {
	if output == outputJSON {
		return writeJSON(w, raw)
	}
	var c shownCredential
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	return writeTable(w, c.lines(time.Now()))
}

// writeJSON writes a JSON value on a line of its own.
func writeJSON(w io.Writer, raw json.RawMessage) error {
	var line bytes.Buffer
	if err := json.Compact(&line, raw); err != nil {
		return err
	}
	line.WriteByte('\n')
	_, err := w.Write(line.Bytes())
	return err
}
