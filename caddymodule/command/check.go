package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/cli"
	"github.com/hookgate/hookgate/store"
)

func checkCommand(cmd *cobra.Command) {
	cmd.Use = "check [--config <file>] [--adapter <name>] [--server <url>] [--output words|json]"
	cmd.Short = "Looks for what breaks the guarantees"
	cmd.Long = `
Says whether a configuration loads. Looks at its Redis (role, version, replication,
persistence, eviction, clock), tries there every command and every kind of change
under keys that it deletes again, or at the journal and the disk of the embedded
store, looks at the loggers, says for each server whether the express lane is on and
what keeps it away, and looks at the keyring of a running server, which is asked at
the address of its status paths. The exit code is 1 where it finds a problem;
warnings do not count.`
	config := configFlags(cmd)
	server := cmd.Flags().String("server", "", "The address of a running server, such as http://127.0.0.1:9090")
	output := cmd.Flags().String("output", "words", "words or json")
	cli.ExitOnFlags(cmd)
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = cli.FinishWith(func(cmd *cobra.Command, args []string) error {
		if err := cli.NoArgument(args); err != nil {
			return err
		}
		if err := cli.OneOf("output", *output, []string{"words", "json"}); err != nil {
			return err
		}
		var findings []store.Finding
		if *config != (app.ConfigFile{}) || *server == "" {
			checked, err := checkConfig(cmd.Context(), *config)
			if err != nil {
				return err
			}
			findings = checked
		}
		if *server != "" {
			findings = append(findings, checkServer(cmd.Context(), *server))
		}
		if err := printFindings(os.Stdout, findings, *output); err != nil {
			return err
		}
		if slices.ContainsFunc(findings, func(f store.Finding) bool { return f.Severity == store.SeverityProblem }) {
			return errFound
		}
		return nil
	})
}

var errFound = errors.New("what is marked as a problem breaks a guarantee")

// checkConfig checks a configuration, and the store that it names.
func checkConfig(ctx context.Context, file app.ConfigFile) ([]store.Finding, error) {
	config, err := file.Read()
	if err != nil {
		return nil, err
	}
	l, load := checkLoad(config)
	findings := slices.Concat([]store.Finding{load}, checkLoggers(config), []store.Finding{checkAdmin(config), checkPersistence(config)})
	servers, err := checkServers(ctx, config, l)
	if err != nil {
		return nil, err
	}
	findings = append(findings, servers...)
	kept, err := app.CheckStore(ctx, config)
	return append(findings, kept...), err
}

const statusTimeout = 5 * time.Second

// checkServer asks a running server whether its keyring can decide.
func checkServer(ctx context.Context, address string) store.Finding {
	finding := func(severity store.Severity, detail string) store.Finding {
		return store.Finding{Check: "server", Severity: severity, Detail: detail}
	}
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+"/readyz", nil)
	if err != nil {
		return finding(store.SeverityProblem, "the address is not a URL")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return finding(store.SeverityProblem, "it does not answer")
	}
	defer response.Body.Close()
	var state struct {
		Status string         `json:"status"`
		Checks map[string]any `json:"checks"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&state); err != nil {
		return finding(store.SeverityProblem, "it answers, but not as Hookgate does")
	}
	checks, err := json.Marshal(state.Checks)
	if err != nil {
		return finding(store.SeverityProblem, "it answers, but not as Hookgate does")
	}
	detail := state.Status + " " + string(checks)
	switch state.Status {
	case "ok":
		return finding(store.SeverityOK, detail)
	case "degraded":
		return finding(store.SeverityWarning, detail)
	}
	return finding(store.SeverityProblem, detail)
}

func printFindings(w io.Writer, findings []store.Finding, output string) error {
	if output == "json" {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(map[string]any{"findings": findings})
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range findings {
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.Severity, f.Check, f.Detail)
	}
	return table.Flush()
}
