package caddymodule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/google/uuid"
	"github.com/spf13/cobra"
)

// usageError says that a command was called wrongly.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// finishWith returns a RunE whose exit code is 0 for done, 1 for refused or failed,
// and 2 for wrong usage. Errors are printed on standard error in plain words: these
// commands are for people and scripts, and Caddy's log is for servers.
func finishWith(run func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error { return exit(cmd, run(cmd, args)) }
}

func exit(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	cmd.SilenceErrors = true // cobra would print it again
	// Whatever was typed in the wrong place may be in the error.
	text := []byte(err.Error())
	maskTokens(text)
	fmt.Fprintf(cmd.ErrOrStderr(), "hookgate: %s\n", printable(string(text)))
	var wrong usageError
	if !errors.As(err, &wrong) {
		return err
	}
	return caddycmd.WrapCommandFuncForCobra(func(caddycmd.Flags) (int, error) { return exitUsage, nil })(cmd, nil)
}

// exitOnFlags makes wrong flags of a command and those below it wrong usage.
func exitOnFlags(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return exit(cmd, usageError{err}) })
}

// group makes a command that only has others below it.
func group(cmd *cobra.Command, below ...*cobra.Command) {
	exitOnFlags(cmd)
	cmd.Args = cobra.ArbitraryArgs
	names := make([]string, len(below))
	for i, sub := range below {
		names[i] = sub.Name()
		// What is wrong about arguments is for RunE to say.
		sub.Args = cobra.ArbitraryArgs
		cmd.AddCommand(sub)
	}
	cmd.RunE = finishWith(func(*cobra.Command, []string) error {
		return usagef("%s takes one of: %s; see --help", cmd.Name(), strings.Join(names, ", "))
	})
}

// noArgument checks that a command got no arguments. They are not repeated: some
// people paste a token where it does not belong.
func noArgument(args []string) error {
	if len(args) > 0 {
		return usagef("it takes no arguments, only flags; see --help")
	}
	return nil
}

// oneID returns the only argument, the id of a credential.
func oneID(args []string) (string, error) {
	if len(args) != 1 {
		return "", usagef("it takes one argument, the id of a credential; see --help")
	}
	id, err := uuid.Parse(args[0])
	if err != nil {
		return "", usagef("the id of a credential is a UUID, as the list shows it")
	}
	return id.String(), nil
}

// oneOf checks a flag that takes certain words only; "" is not given.
func oneOf(flag, value string, words []string) error {
	if value != "" && !slices.Contains(words, value) {
		return usagef("--%s must be one of: %s", flag, strings.Join(words, ", "))
	}
	return nil
}

// printable returns text without what would control a terminal: some of it is the
// server's, and some was written by whoever minted a credential.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
