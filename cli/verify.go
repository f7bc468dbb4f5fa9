package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hookgate/hookgate/admin/api"
)

// maxTyped is more than any token, or client id and secret, can have.
const maxTyped = 4 << 10

func verifyCommand(server *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [-]",
		Short: "Says what the guard makes of a token",
		Long: `
Reads a token from standard input, on a terminal without showing it, and says what
the guard makes of it and why. For an api credential it is <client id>:<secret>. The
exit code is 0 where the guard lets it through, and 1 where it does not.`,
		Example: `  hookgate credentials verify <token.txt`,
	}
	output := outputFlag(cmd)
	cmd.RunE = FinishWith(func(cmd *cobra.Command, args []string) error {
		if err := OneOf("output", *output, outputs); err != nil {
			return err
		}
		if len(args) > 1 || len(args) == 1 && args[0] != "-" {
			return Usagef("the token is read from standard input: on a command line, every process of the machine can read it")
		}
		client, err := server.client()
		if err != nil {
			return err
		}
		token, err := readToken(cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		var answer json.RawMessage
		if _, err := client.do(cmd.Context(), call{method: http.MethodPost, path: api.CredentialsPath + "/verify", body: api.VerifyRequest{Token: token}}, &answer); err != nil {
			return err
		}
		return printVerdict(cmd, answer, *output)
	})
	return cmd
}

// readHidden reads one line from a terminal. The echo is off before the prompt is there:
// who types upon it at once must not see the token on the screen.
func readHidden(stdin int, prompt io.Writer) ([]byte, error) {
	before, err := term.MakeRaw(stdin)
	if err != nil {
		return nil, err
	}
	defer term.Restore(stdin, before)
	terminal := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{os.Stdin, prompt}, "")
	line, err := terminal.ReadPassword("Token: ")
	return []byte(line), err
}

// readToken reads one line from standard input.
func readToken(prompt io.Writer) (string, error) {
	var typed []byte
	var err error
	if stdin := int(os.Stdin.Fd()); term.IsTerminal(stdin) {
		typed, err = readHidden(stdin, prompt)
	} else {
		typed, err = io.ReadAll(io.LimitReader(os.Stdin, maxTyped+1))
	}
	if err != nil {
		return "", err
	}
	token := strings.TrimRight(string(typed), "\r\n")
	switch {
	case token == "":
		return "", errors.New("there is no token on standard input")
	case len(token) > maxTyped, strings.ContainsAny(token, "\r\n"):
		return "", errors.New("there is more than a token on standard input")
	}
	return token, nil
}

func printVerdict(cmd *cobra.Command, answer json.RawMessage, output string) error {
	var verdict api.VerifyResponse
	if err := json.Unmarshal(answer, &verdict); err != nil || verdict.Outcome == "" {
		return errors.New("the server answers, but not as Hookgate does")
	}
	if output == outputJSON {
		if err := writeJSON(cmd.OutOrStdout(), answer); err != nil {
			return err
		}
	} else {
		lines := [][]string{{"outcome", verdict.Outcome}, {"detail", verdict.Detail}}
		if verdict.Credential != nil {
			lines = append(lines, (*shownCredential)(verdict.Credential).lines(time.Now())...)
		}
		for _, seen := range verdict.LastProofs {
			lines = append(lines, []string{"proof " + seen.Result, seen.At.UTC().Format(time.RFC3339)})
		}
		if err := writeTable(cmd.OutOrStdout(), lines); err != nil {
			return err
		}
	}
	if verdict.Outcome != api.OutcomeAllowed {
		return fmt.Errorf("the guard does not let it through: %s", verdict.Outcome)
	}
	return nil
}
