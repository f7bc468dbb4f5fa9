package cli

import (
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/proof"
)

// Schemes makes cmd the command that prints how vendors prove themselves.
func Schemes(cmd *cobra.Command) {
	cmd.Use = "schemes [name]"
	cmd.Short = "Prints how vendors prove themselves"
	cmd.Long = `
Prints the schemes that verify knows by name, one a line; or one of them, in the
words that verify takes, with where its secret is and how it is known.`
	cmd.Example = `  hookgate schemes
  hookgate schemes stripe
  hookgate schemes stripe --output json`
	ExitOnFlags(cmd)
	cmd.Args = cobra.ArbitraryArgs
	output := outputFlag(cmd)
	cmd.RunE = FinishWith(func(cmd *cobra.Command, args []string) error {
		if err := OneOf("output", *output, outputs); err != nil {
			return err
		}
		if len(args) > 1 {
			return Usagef("it takes one name, or none; see --help")
		}
		presets := proof.Presets()
		if len(args) == 1 {
			preset, known := proof.Named(args[0])
			if !known {
				return noScheme(args[0])
			}
			presets = []proof.Preset{preset}
		}
		if *output == outputJSON {
			return schemesJSON(cmd, presets)
		}
		if len(args) == 1 {
			return writeTable(cmd.OutOrStdout(), schemeLines(presets[0]))
		}
		rows := make([][]string, len(presets))
		for i, preset := range presets {
			rows[i] = []string{preset.Name, preset.Title}
		}
		return writeTable(cmd.OutOrStdout(), rows)
	})
}

// noScheme says why there is no scheme of a name.
func noScheme(name string) error {
	for _, omission := range proof.LeftOut() {
		if omission.Name == name {
			return Usagef("%s has no scheme by name: %s; see docs/vendors.md", omission.Title, omission.Why)
		}
	}
	return Usagef("there is no scheme of this name; `hookgate schemes` lists them, and docs/vendors.md says which are left out")
}

func schemesJSON(cmd *cobra.Command, presets []proof.Preset) error {
	for _, preset := range presets {
		raw, err := json.Marshal(preset)
		if err != nil {
			return err
		}
		if err := writeJSON(cmd.OutOrStdout(), raw); err != nil {
			return err
		}
	}
	return nil
}

// schemeLines returns everything about a scheme, a name and a value a line.
func schemeLines(preset proof.Preset) [][]string {
	lines := [][]string{{"name", preset.Name}, {"title", preset.Title}}
	for _, words := range preset.Scheme.Words() {
		quoted := make([]string, len(words)-1)
		for i, word := range words[1:] {
			quoted[i] = proof.Quoted(word)
		}
		lines = append(lines, []string{words[0], strings.Join(quoted, " ")})
	}
	lines = append(lines, []string{"secret", preset.Secret}, []string{"source", preset.Source}, []string{"evidence", preset.Evidence.String()})
	if preset.Notes != "" {
		lines = append(lines, []string{"note", preset.Notes})
	}
	return lines
}
