package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	_ "unsafe" // for go:linkname

	_ "github.com/caddyserver/caddy/v2/cmd"
)

// caddysFooter is how Caddy's help points to documentation that knows nothing of us.
const caddysFooter = "Full documentation is available at:\nhttps://caddyserver.com/docs/command-line"

// rootCommands makes the root of the commands, on which Caddy lets nobody set more than
// the description. TestHelp fails where Caddy has changed it.
//
//go:linkname rootCommands github.com/caddyserver/caddy/v2/cmd.defaultFactory
var rootCommands *struct {
	constructor func() *cobra.Command
	options     []func(*cobra.Command)
}

// nameInHelp makes the help speak of this program, and point to its own documentation.
func nameInHelp() {
	rootCommands.options = append(rootCommands.options, func(root *cobra.Command) {
		root.Example = `  $ hookgate demo
  $ hookgate check --config Caddyfile
  $ hookgate run --config Caddyfile`
		for _, cmd := range root.Commands() {
			if advice := withoutEndpoint[cmd.Name()]; advice != "" {
				advise(cmd, advice)
			}
		}
		root.SetHelpTemplate(strings.Replace(root.HelpTemplate(), caddysFooter, "Documentation: https://github.com/hookgate/hookgate", 1))
	})
}

// withoutEndpoint says what to do in place of Caddy's commands that ask the admin endpoint of
// a running process, which the configurations of ours have off: whoever reaches it can
// replace the configuration.
var withoutEndpoint = map[string]string{
	"reload": "With \"admin off\" nothing answers there. Have the process load its file again with the signal USR1\n(kill -USR1 <pid>, or systemctl reload hookgate); its log says whether it did.",
	"stop":   "With \"admin off\" nothing answers there. End the process with the signal TERM (kill -TERM <pid>, or systemctl stop hookgate).",
}

// advise has a command that could not ask the endpoint say what to do.
func advise(cmd *cobra.Command, advice string) {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		if err != nil && strings.Contains(err.Error(), "performing request") {
			fmt.Fprintln(cmd.ErrOrStderr(), "hookgate: "+advice)
		}
		return err
	}
}
