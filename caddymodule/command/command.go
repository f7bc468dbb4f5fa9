// Package command registers the commands of the binary that Caddy does not have.
package command

import (
	"errors"
	"strings"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/cli"
)

func init() {
	for _, build := range []func(*cobra.Command){
		checkCommand, demoCommand, storeCommand, epochCommand, operatorTokenCommand, cli.Credentials, cli.Audit, cli.Login, cli.Logout, cli.Schemes, cli.Send,
	} {
		register(build)
	}
}

// register gives Caddy a command.
func register(build func(*cobra.Command)) {
	described := new(cobra.Command)
	build(described)
	name, usage, _ := strings.Cut(described.Use, " ")
	caddycmd.RegisterCommand(caddycmd.Command{
		Name: name, Usage: usage, Short: described.Short, Long: described.Long,
		CobraFunc: func(cmd *cobra.Command) {
			build(cmd)
			onFlags := cmd.FlagErrorFunc()
			cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return forCaddy(cmd, onFlags(cmd, err)) })
			endForCaddy(cmd)
		},
	})
}

// endForCaddy makes a command and those below it end in a way that Caddy's main
// function knows the exit code of.
func endForCaddy(cmd *cobra.Command) {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return forCaddy(cmd, run(cmd, args)) }
	for _, below := range cmd.Commands() {
		endForCaddy(below)
	}
}

// forCaddy returns the error that Caddy's main function exits for with the code of err.
func forCaddy(cmd *cobra.Command, err error) error {
	var ended *cli.ExitError
	if !errors.As(err, &ended) || ended.Code == cli.ExitFailed {
		return err // it exits with 1 for any other error
	}
	return caddycmd.WrapCommandFuncForCobra(func(caddycmd.Flags) (int, error) { return ended.Code, nil })(cmd, nil)
}
