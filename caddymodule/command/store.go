package command

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/cli"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/journal"
)

func storeCommand(cmd *cobra.Command) {
	cmd.Use = "store dump|restore <file>|- [--config <file>], store reseal [--config <file>]"
	cmd.Short = "Backs up and moves the credentials"
	cmd.Long = `
Writes all credentials with their digests to a file of mode 0600, or reads such a
file into a namespace without credentials, be it on Redis or embedded. Tokens are in
neither. - is standard output, or input. What was revoked stays revoked. A restored data set begins a new epoch:
running sidecars take it in place of the one they knew.

reseal seals the secrets by which vendors prove themselves anew with the first
seal_key of the configuration, so that the older ones can be taken out of it. It can
run beside the servers. A dump has them as they are sealed, and restore needs no key.

The embedded store belongs to one process: stop the server before. Only restore
makes one where there is none.`
	cli.Group(cmd,
		onFile("dump", "Writes all credentials to a file", app.WithStore, func(s *store.Store, cmd *cobra.Command, file string) error {
			dump := func() (int, error) { return s.Dump(cmd.Context(), file) }
			if file == standardStream {
				dump = func() (int, error) { return s.DumpTo(cmd.Context(), os.Stdout) }
			}
			n, err := dump()
			if errors.Is(err, journal.ErrNotAFile) {
				return fmt.Errorf("%s: %w; - is standard output", file, err)
			}
			if err == nil {
				fmt.Fprintf(os.Stderr, "%d credentials written\n", n)
			}
			return err
		}),
		onFile("restore", "Reads all credentials from a file", app.WithStoreOrNew, func(s *store.Store, cmd *cobra.Command, file string) error {
			restore := func() (int, error) { return s.Restore(cmd.Context(), file) }
			if file == standardStream {
				restore = func() (int, error) { return s.RestoreFrom(cmd.Context(), os.Stdin) }
			}
			n, err := restore()
			if err == nil {
				fmt.Fprintf(os.Stderr, "%d credentials restored\n", n)
			}
			return err
		}),
		reseal())
}

func reseal() *cobra.Command {
	cmd := &cobra.Command{Use: "reseal", Short: "Seals the secrets of vendors anew with the first seal_key"}
	config := configFlags(cmd)
	cmd.RunE = cli.FinishWith(func(cmd *cobra.Command, args []string) error {
		if err := cli.NoArgument(args); err != nil {
			return err
		}
		n, err := app.Reseal(cmd.Context(), *config)
		fmt.Fprintf(os.Stderr, "the secrets of %d credentials are sealed anew\n", n)
		return err
	})
	return cmd
}

func epochCommand(cmd *cobra.Command) {
	cmd.Use = "epoch new --yes [--config <file>]"
	cmd.Short = "Declares the data set in Redis to be a new one"
	cmd.Long = `
A sidecar that finds Redis emptied, or another data set in it, answers 503 rather
than to take every token for unknown. This command is the operator's word that what
is in Redis now is meant: every sidecar takes it, and what they remember as revoked
in the old data set is forgotten.`
	cli.Group(cmd, newEpoch())
}

// standardStream stands for standard output or input in the place of a file.
const standardStream = "-"

// onFile makes a command that takes a file and the store of a configuration, which with opens.
func onFile(name, short string, with func(app.ConfigFile, app.Operation) error, run func(*store.Store, *cobra.Command, string) error) *cobra.Command {
	cmd := &cobra.Command{Use: name + " <file>|-", Short: short}
	config := configFlags(cmd)
	cmd.RunE = cli.FinishWith(func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return cli.Usagef("it takes one argument, the file; see --help")
		}
		return with(*config, func(s *store.Store) error { return run(s, cmd, args[0]) })
	})
	return cmd
}

func newEpoch() *cobra.Command {
	cmd := &cobra.Command{Use: "new", Short: "Declares a new epoch"}
	config := configFlags(cmd)
	yes := cmd.Flags().Bool("yes", false, "Confirms that the data set is meant to be new")
	cmd.RunE = cli.FinishWith(func(cmd *cobra.Command, args []string) error {
		if err := cli.NoArgument(args); err != nil {
			return err
		}
		if !*yes {
			return cli.Usagef("this makes every sidecar forget the old data set; confirm with --yes")
		}
		return app.WithStore(*config, func(s *store.Store) error {
			epoch, err := s.NewEpoch(cmd.Context())
			if err == nil {
				fmt.Fprintf(os.Stderr, "epoch %s\n", epoch)
			}
			return err
		})
	})
	return cmd
}
