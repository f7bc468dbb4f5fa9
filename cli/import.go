package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/credential"
)

const (
	// importLines and importBytes bound one request. The server takes more, but each is a
	// commit of its own, and all of them have to be done within operatorTimeout.
	importLines = 200
	importBytes = 512 << 10
	// maxImportLine is more than a credential can have.
	maxImportLine = 64 << 10
)

// importResult is what became of a line.
type importResult struct {
	Line   int    `json:"line"`
	Status string `json:"status"` // as the server has it, or invalid where it was not sent
	ID     string `json:"id,omitempty"`
	Code   string `json:"code,omitempty"`
	Detail string `json:"detail,omitempty"`
}

const importInvalid = "invalid"

func importCommand(server *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import <file>|- [flags]",
		Short: "Imports tokens by their digest",
		Long: `
Makes credentials for tokens that were minted elsewhere, of which only the SHA-256 is
known. Every line of the file is a JSON object with kind (callback or webhook) and
digest, and where wanted label, vendor, connection, expiresAt, allowedIps, metadata,
verify, and id, which a Matcher has given a callback token of its own. What becomes
of each line is printed. Importing a file again changes
nothing, so an import that failed half-way can be repeated.`,
		Example: `  echo '{"kind":"callback","digest":"sha256:...","label":"JIRA"}' | hookgate credentials import -`,
	}
	output := outputFlag(cmd)
	cmd.RunE = FinishWith(func(cmd *cobra.Command, args []string) error {
		if err := OneOf("output", *output, outputs); err != nil {
			return err
		}
		if len(args) != 1 {
			return Usagef("it takes one argument, a file, or - for standard input")
		}
		client, err := server.client()
		if err != nil {
			return err
		}
		file := os.Stdin
		if args[0] != "-" {
			if file, err = os.Open(args[0]); err != nil {
				return err
			}
			defer file.Close()
		}
		return (&importer{client: client, out: cmd.OutOrStdout(), output: *output}).run(cmd.Context(), file, cmd.ErrOrStderr())
	})
	return cmd
}

// importer sends lines in batches, and reports every line in its order.
type importer struct {
	client *operatorClient
	out    io.Writer
	output string

	waiting []importResult   // of lines that are not reported yet
	batch   []api.ImportLine // those of them that are to be sent
	sizes   int
	counts  map[string]int
}

func (im *importer) run(ctx context.Context, file io.Reader, summary io.Writer) error {
	im.counts = make(map[string]int)
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxImportLine)
	for number := 1; lines.Scan(); number++ {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		if err := im.add(ctx, number, text); err != nil {
			return err
		}
	}
	if err := im.flush(ctx); err != nil {
		return err
	}
	fmt.Fprintf(summary, "%d created, %d there already, %d refused, %d invalid\n",
		im.counts[api.ImportCreated], im.counts[api.ImportExists], im.counts[api.ImportRefused], im.counts[importInvalid])
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("a line is longer than %d KiB; it and those behind it are not imported", maxImportLine>>10)
	case err != nil:
		return err
	case im.counts[api.ImportRefused]+im.counts[importInvalid] > 0:
		return errors.New("not every line was imported")
	}
	return nil
}

// add takes a line in. One that is not a credential is not sent: the server would
// refuse all those that go with it. A member that nobody reads might be the one that was
// to end or restrict the credential, so unknown ones are refused.
func (im *importer) add(ctx context.Context, number int, text []byte) error {
	var line api.ImportLine
	result := importResult{Line: number}
	if err := jsonv2.Unmarshal(text, &line, jsonv2.RejectUnknownMembers(true)); err != nil {
		result.Status, result.Detail = importInvalid, invalidLine(err)
		im.waiting = append(im.waiting, result)
		return nil
	}
	encoded, err := json.Marshal(line)
	if err != nil {
		return err
	}
	if len(im.batch) == importLines || im.sizes+len(encoded) > importBytes {
		if err := im.flush(ctx); err != nil {
			return err
		}
	}
	im.waiting = append(im.waiting, result)
	im.batch = append(im.batch, line)
	im.sizes += len(encoded)
	return nil
}

// invalidLine says what is wrong with a line, without repeating what is in it: a
// token may have been put where its digest belongs.
func invalidLine(err error) string {
	var syntax *jsontext.SyntacticError
	var semantic *jsonv2.SemanticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return "a member is given twice"
	case errors.As(err, &syntax):
		return "not a JSON object"
	case errors.Is(err, jsonv2.ErrUnknownName) && errors.As(err, &semantic):
		if strings.HasPrefix(string(semantic.JSONPointer), "/verify/") {
			return "unknown member in verify" // it may be a secret
		}
		return fmt.Sprintf("unknown member %q", credential.WithoutTokens(semantic.JSONPointer.LastToken()))
	case errors.As(err, &semantic) && semantic.JSONPointer != "":
		return fmt.Sprintf("member %q has the wrong type", semantic.JSONPointer.LastToken())
	}
	return "not a JSON object"
}

// flush sends the batch, and reports the lines that were waiting for it.
func (im *importer) flush(ctx context.Context) error {
	var answer api.ImportResponse
	if len(im.batch) > 0 {
		body := api.ImportRequest{Credentials: im.batch}
		if _, err := im.client.do(ctx, call{method: http.MethodPost, path: api.CredentialsPath + "/import", body: body}, &answer); err != nil {
			return fmt.Errorf("from line %d on nothing is known to be imported; it can be repeated\n%w", im.waiting[0].Line, err)
		}
	}
	if len(answer.Results) != len(im.batch) {
		return errors.New("the server answers, but not as Hookgate does")
	}
	results := answer.Results
	for _, result := range im.waiting {
		if result.Status == "" {
			r := results[0]
			result.Status, result.ID, result.Code, result.Detail = r.Status, r.ID, r.Code, r.Detail
			results = results[1:]
		}
		im.counts[result.Status]++
		if err := im.report(result); err != nil {
			return err
		}
	}
	im.waiting, im.batch, im.sizes = nil, nil, 0
	return nil
}

func (im *importer) report(r importResult) error {
	if im.output == outputJSON {
		raw, err := json.Marshal(r)
		if err != nil {
			return err
		}
		return writeJSON(im.out, raw)
	}
	text := fmt.Sprintf("line %d: %s", r.Line, r.Status)
	for _, more := range []string{r.ID, r.Code, r.Detail} {
		if more != "" {
			text += " " + more
		}
	}
	_, err := fmt.Fprintln(im.out, printable(text))
	return err
}
