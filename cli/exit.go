package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/credential"
)

// Exit codes of a command. 0 is done.
const (
	ExitFailed = 1 // refused, or failed
	ExitUsage  = 2 // called wrongly
)

// ExitError is what a command ends with that is not done. It has been printed already.
type ExitError struct {
	Code int
	err  error
}

func (e *ExitError) Error() string { return e.err.Error() }
func (e *ExitError) Unwrap() error { return e.err }

// usageError says that a command was called wrongly.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Usage says that err is the caller's: the exit code is ExitUsage.
func Usage(err error) error { return usageError{err} }

// Usagef is Usage of a text.
func Usagef(format string, args ...any) error { return Usage(fmt.Errorf(format, args...)) }

// FinishWith returns a RunE that prints the error of run on standard error in plain
// words, and returns it as an *ExitError.
func FinishWith(run func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error { return exit(cmd, run(cmd, args)) }
}

func exit(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	cmd.SilenceErrors = true // cobra would print it again
	// Whatever was typed in the wrong place may be in the error.
	fmt.Fprintf(cmd.ErrOrStderr(), "hookgate: %s\n", printable(credential.WithoutTokens(err.Error())))
	code := ExitFailed
	if errors.As(err, new(usageError)) {
		code = ExitUsage
	}
	return &ExitError{code, err}
}

// ExitOnFlags ends cmd, or a command below it, with ExitUsage where a flag is wrong.
func ExitOnFlags(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return exit(cmd, Usage(err)) })
}

// Group makes a command that only has others below it.
func Group(cmd *cobra.Command, below ...*cobra.Command) {
	ExitOnFlags(cmd)
	cmd.Args = cobra.ArbitraryArgs
	names := make([]string, len(below))
	for i, sub := range below {
		names[i] = sub.Name()
		// What is wrong about arguments is for RunE to say.
		sub.Args = cobra.ArbitraryArgs
		cmd.AddCommand(sub)
	}
	cmd.RunE = FinishWith(func(*cobra.Command, []string) error {
		return Usagef("%s takes one of: %s; see --help", cmd.Name(), strings.Join(names, ", "))
	})
}

// NoArgument checks that a command got no arguments. They are not repeated: some
// people paste a token where it does not belong.
func NoArgument(args []string) error {
	if len(args) > 0 {
		return Usagef("it takes no arguments, only flags; see --help")
	}
	return nil
}

// oneID returns the only argument, the id of a credential.
func oneID(args []string) (string, error) {
	if len(args) != 1 {
		return "", Usagef("it takes one argument, the id of a credential; see --help")
	}
	id, err := uuid.Parse(args[0])
	if err != nil {
		return "", Usagef("the id of a credential is a UUID, as the list shows it")
	}
	return id.String(), nil
}

// aboutOne makes the RunE of a command about one credential, whose id run is given.
func aboutOne(output *string, run func(cmd *cobra.Command, id string) error) func(*cobra.Command, []string) error {
	return FinishWith(func(cmd *cobra.Command, args []string) error {
		id, err := oneID(args)
		if err := errors.Join(err, OneOf("output", *output, outputs)); err != nil {
			return err
		}
		return run(cmd, id)
	})
}

// OneOf checks a flag that takes certain words only. An empty value stands for a flag
// that is not given.
func OneOf(flag, value string, words []string) error {
	if value != "" && !slices.Contains(words, value) {
		return Usagef("--%s must be one of: %s", flag, strings.Join(words, ", "))
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
