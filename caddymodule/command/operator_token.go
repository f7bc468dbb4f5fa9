package command

import (
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/cli"
)

func operatorTokenCommand(cmd *cobra.Command) {
	cmd.Use = "operator-token --tenant <uuid> --role <owner|admin|minter|viewer> --secret-env <name> [--ttl <duration>] [--out <file>]"
	cmd.Short = "Makes a JWT for the admin API"
	cmd.Long = `
Makes a JWT for the admin API, signed with the HS256 secret that the environment
variable holds, and prints it alone on standard output, or writes it to a new file. For trying out and for
scripts; people should get theirs from the organisation's own sign-in.`
	fs := cmd.Flags()
	fs.String("tenant", "", "The tenant, a UUID")
	fs.String("role", "", "owner, admin, minter or viewer")
	fs.Duration("ttl", time.Hour, "How long the token is valid; the admin API refuses more than its max_ttl")
	fs.String("secret-env", "", "The environment variable that holds the secret")
	fs.String("subject", "operator", "Who the token is for; stands in the audit log")
	fs.String("issuer", "", "The iss claim, where the admin API checks it")
	fs.String("audience", "", "The aud claim, where the admin API checks it")
	out := cli.OutFlag(cmd)
	cli.ExitOnFlags(cmd)
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = cli.FinishWith(func(cmd *cobra.Command, args []string) error {
		if err := cli.NoArgument(args); err != nil {
			return err
		}
		token, err := newOperatorToken(caddycmd.Flags{FlagSet: cmd.Flags()})
		if err != nil {
			return err
		}
		return cli.To(cmd, *out, cli.WholeOnly, func(to io.Writer) error {
			_, err := fmt.Fprintln(to, token)
			return err
		})
	})
}

func newOperatorToken(fl caddycmd.Flags) (string, error) {
	tenant, err := uuid.Parse(fl.String("tenant"))
	if err != nil {
		return "", cli.Usagef("--tenant must be a UUID")
	}
	role := fl.String("role")
	if !slices.Contains([]string{"owner", "admin", "minter", "viewer"}, role) {
		return "", cli.Usagef("--role must be owner, admin, minter or viewer")
	}
	ttl := fl.Duration("ttl")
	if ttl <= 0 {
		return "", cli.Usagef("--ttl must be positive")
	}
	secret := os.Getenv(fl.String("secret-env"))
	if secret == "" {
		return "", cli.Usagef("--secret-env must name an environment variable that holds the secret")
	}
	if len(secret) < bearer.MinSecret {
		fmt.Fprintf(os.Stderr, "warning: the secret is short enough to be guessed from a token; RFC 7518 wants %d bytes\n", bearer.MinSecret)
	}
	return operatorToken(operatorClaims{
		tenant: tenant, role: role, ttl: ttl,
		subject: fl.String("subject"), issuer: fl.String("issuer"), audience: fl.String("audience"),
	}, []byte(secret))
}

// operatorClaims is what an operator's JWT says.
type operatorClaims struct {
	tenant                          uuid.UUID
	role, subject, issuer, audience string
	ttl                             time.Duration
}

func operatorToken(c operatorClaims, secret []byte) (string, error) {
	now := time.Now()
	claims := jwt.MapClaims{
		"tenant_id": c.tenant.String(),
		"roles":     []string{c.role},
		"sub":       c.subject,
		"iat":       now.Unix(),
		"exp":       now.Add(c.ttl).Unix(),
	}
	if c.issuer != "" {
		claims["iss"] = c.issuer
	}
	if c.audience != "" {
		claims["aud"] = c.audience
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(secret)
}
