package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/internal/auditchain"
)

// standardInput stands for standard input in the place of a file.
const standardInput = "-"

func auditVerifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify <file>... | -",
		Short: "Says whether lines of an audit sink are whole",
		Long: `
Reads what an audit sink wrote, from files that go on from one another or from standard
input, and checks that every line is as it was written and follows the one before. The
exit code is 0 where all do, and 1 with the number of the first line that does not.

Whoever can write to a file can also make it anew from any line on, hashes and all, or
take lines from its end: compare the last hash with one that was kept elsewhere.`,
		Example: `  hookgate audit verify /var/log/hookgate/audit.log.1 /var/log/hookgate/audit.log`,
	}
	repeats := cmd.Flags().Bool("repeats", false, "Lines may come again as they were, as from an https or syslog sink")
	output := outputFlag(cmd)
	cmd.RunE = FinishWith(func(cmd *cobra.Command, args []string) error {
		if err := OneOf("output", *output, outputs); err != nil {
			return err
		}
		if len(args) == 0 {
			return Usagef("it takes the files to verify, the oldest first, or - for standard input")
		}
		v := auditchain.Verifier{Repeats: *repeats}
		for _, path := range args {
			if err := verifyFile(&v, path); err != nil {
				return err
			}
		}
		return printFound(cmd.OutOrStdout(), v.Found, *output)
	})
	return cmd
}

func verifyFile(v *auditchain.Verifier, path string) error {
	from := io.Reader(os.Stdin)
	if path != standardInput {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		from = file
	}
	err := v.Read(from)
	var broken *auditchain.BrokenError
	if errors.As(err, &broken) {
		return fmt.Errorf("%s: %w", path, broken)
	}
	return err
}

func printFound(w io.Writer, found auditchain.Found, output string) error {
	if output == outputJSON {
		_, err := fmt.Fprintf(w, `{"lines":%d,"first":%d,"last":%d,"hash":%q,"gaps":%d,"torn":%d,"repeated":%d}`+"\n",
			found.Lines, found.First, found.Last.Seq, found.Last.Hash, found.Gaps, found.Torn, found.Repeated)
		return err
	}
	return writeTable(w, [][]string{
		{"lines", fmt.Sprint(found.Lines)},
		{"first", fmt.Sprint(found.First)},
		{"last", fmt.Sprint(found.Last.Seq)},
		{"last hash", found.Last.Hash},
		{"gaps", fmt.Sprint(found.Gaps)},
		{"torn", fmt.Sprint(found.Torn)},
		{"repeated", fmt.Sprint(found.Repeated)},
	})
}
