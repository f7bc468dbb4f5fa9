package command

import (
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/cli"
)

func demoCommand(cmd *cobra.Command) {
	cmd.Use = "demo [--dir <dir>] [--listen <address>] [--admin-listen <address>]"
	cmd.Short = "Runs everything in one process, with a stand-in for Matcher"
	cmd.Long = `
Runs the guard and the admin API with an embedded store and a stand-in for Matcher
that prints what reaches it, and shows curl commands to try them with. Credentials
are kept in the directory from one run to the next.`
	dir := cmd.Flags().String("dir", "hookgate-data", "The directory of the embedded store")
	listen := cmd.Flags().String("listen", ":8080", "The address for vendors")
	adminListen := cmd.Flags().String("admin-listen", "127.0.0.1:8081", "The address for operators")
	cli.ExitOnFlags(cmd)
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = cli.FinishWith(func(_ *cobra.Command, args []string) error {
		if err := cli.NoArgument(args); err != nil {
			return err
		}
		return runDemo(*dir, *listen, *adminListen)
	})
}

var (
	//go:embed demo.caddyfile
	demoCaddyfile string
	//go:embed demo.txt
	demoText string

	// demoTenant is the tenant of a Matcher that is run for a single one.
	demoTenant = uuid.MustParse("11111111-1111-1111-1111-111111111111")
)

const (
	demoSecretEnv = "HOOKGATE_DEMO_SECRET"
	demoTTL       = 12 * time.Hour
	demoStart     = 30 * time.Second // more than enough for what a demo has stored
)

// demoSettings fill the demo's Caddyfile and its text.
type demoSettings struct {
	Dir, Upstream           string
	Bind, Port              string // for vendors
	AdminBind, AdminPort    string
	Server, Admin, Operator string // for the text
}

func runDemo(dir, listen, adminListen string) error {
	settings, err := newDemoSettings(dir, listen, adminListen)
	if err != nil {
		return cli.Usage(err)
	}
	caddy.TrapSignals()
	if err := startDemo(settings, os.Stdout); err != nil {
		return err
	}
	select {}
}

func newDemoSettings(dir, listen, adminListen string) (demoSettings, error) {
	var s demoSettings
	var err error
	if s.Bind, s.Port, err = net.SplitHostPort(listen); err != nil {
		return s, errors.New("--listen must be host:port or :port")
	}
	if s.AdminBind, s.AdminPort, err = net.SplitHostPort(adminListen); err != nil {
		return s, errors.New("--admin-listen must be host:port or :port")
	}
	if s.Dir, err = filepath.Abs(dir); err != nil {
		return s, err
	}
	if strings.ContainsAny(s.Dir, "\"{}\n") {
		return s, errors.New("--dir must not contain quotes or braces")
	}
	s.Server = "http://" + net.JoinHostPort(reachable(s.Bind), s.Port)
	s.Admin = "http://" + net.JoinHostPort(reachable(s.AdminBind), s.AdminPort)
	return s, nil
}

// reachable returns an address to reach a listener at from the same machine.
func reachable(bind string) string {
	if ip := net.ParseIP(bind); bind == "" || ip != nil && ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return bind
}

// startDemo starts everything and prints how to try it.
func startDemo(s demoSettings, out io.Writer) error {
	secret := rand.Text() + rand.Text() // 260 bits: HS256 wants at least 256
	if err := os.Setenv(demoSecretEnv, secret); err != nil {
		return err
	}
	var err error
	if s.Operator, err = operatorToken(operatorClaims{tenant: demoTenant, role: "admin", ttl: demoTTL, subject: "demo"}, []byte(secret)); err != nil {
		return err
	}
	if s.Upstream, err = startMatcher(out); err != nil {
		return err
	}
	config, err := s.fill(demoCaddyfile)
	if err != nil {
		return err
	}
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(config), map[string]any{"filename": "demo"})
	if err != nil {
		return err
	}
	if err := caddy.Load(adapted, true); err != nil {
		return err
	}
	if err := awaitKeyring(); err != nil {
		return err
	}
	text, err := s.fill(demoText)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(out, text)
	return err
}

// awaitKeyring waits until the running configuration can decide on requests: what
// the text shows has to work at once.
func awaitKeyring() error {
	app, err := app.Configured(caddy.ActiveContext())
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(demoStart); ; time.Sleep(10 * time.Millisecond) {
		if _, loaded := app.Store().Keyring().Age(time.Now()); loaded {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.New("the credentials could not be loaded")
		}
	}
}

func (s demoSettings) fill(text string) (string, error) {
	t, err := template.New("demo").Parse(text)
	if err != nil {
		return "", err
	}
	var filled strings.Builder
	err = t.Execute(&filled, s)
	return filled.String(), err
}
