package command

import (
	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/caddymodule/app"
)

// configFlags are the flags by which commands of Caddy's take a configuration, too.
func configFlags(cmd *cobra.Command) *app.ConfigFile {
	file := new(app.ConfigFile)
	cmd.Flags().StringVarP(&file.Path, "config", "c", "", "Configuration file; ./Caddyfile by default")
	cmd.Flags().StringVarP(&file.Adapter, "adapter", "a", "", "Its format, as Caddy calls it; caddyfile by default, unless its name ends in .json")
	return file
}
