package main

import (
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
		root.SetHelpTemplate(strings.Replace(root.HelpTemplate(), caddysFooter, "Documentation: https://github.com/hookgate/hookgate", 1))
	})
}
