package cli

import (
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/admin/api"
)

func exportCommand(server *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Writes all credentials as JSON lines",
		Long: `
Writes all credentials of your tenant to standard output or a new file, newest first,
one JSON object a line, as the admin API has them. Neither tokens nor digests are in it: it is
for inventories. To move a data set, use "hookgate store dump".`,
	}
	out := OutFlag(cmd)
	cmd.RunE = FinishWith(func(cmd *cobra.Command, args []string) error {
		if err := NoArgument(args); err != nil {
			return err
		}
		client, err := server.client()
		if err != nil {
			return err
		}
		everything := &bounds{limit: api.MaxPage, all: true}
		return To(cmd, *out, WholeOnly, func(to io.Writer) error {
			return printListTo(cmd, to, client.pages(api.CredentialsPath, "credentials", url.Values{}), everything, nil, nil, outputJSON)
		})
	})
	return cmd
}
