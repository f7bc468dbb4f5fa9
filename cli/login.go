package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/spf13/cobra"
	"golang.org/x/oauth2"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/internal/fetch"
)

// issuer is where operators sign in, as the server says or the flags do.
type issuer struct {
	Issuer   string   `json:"issuer"`
	ClientID string   `json:"clientId"`
	Scopes   []string `json:"scopes"`
	secret   string
}

// Login makes cmd the command that signs an operator in.
func Login(cmd *cobra.Command) {
	cmd.Use = "login [--server <url>] [--client-id <id>] [--client-secret-env <name>]"
	cmd.Short = "Signs you in at your organisation's issuer"
	cmd.Long = `
Signs you in at the issuer that the server names, by the device flow (RFC 8628): it
prints an address and a code for a browser on any machine, and waits. What the issuer
gives is kept in hookgate/login.json in $XDG_CONFIG_HOME, which only you can read, and
used by the other commands for this server where no other JWT is given.`
	server := addressFlags(cmd)
	flags := cmd.Flags()
	clientID := flags.String("client-id", "", "What the issuer knows you by, if not as the console")
	secretEnv := flags.String("client-secret-env", "", "The environment variable that holds the secret of the client, if it has one")
	ExitOnFlags(cmd)
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = FinishWith(func(cmd *cobra.Command, args []string) error {
		if err := NoArgument(args); err != nil {
			return err
		}
		secret := ""
		if *secretEnv != "" {
			if secret = os.Getenv(*secretEnv); secret == "" {
				return Usagef("--client-secret-env must name an environment variable that holds the secret")
			}
		}
		base, err := server.address()
		if err != nil {
			return Usage(err)
		}
		at, err := askIssuer(cmd.Context(), base)
		if err != nil {
			return err
		}
		if at.secret = secret; *clientID != "" {
			at.ClientID = *clientID
		}
		token, err := at.signIn(cmd)
		if err != nil {
			return err
		}
		return welcome(cmd, base, token)
	})
}

// Logout makes cmd the command that forgets what Login kept.
func Logout(cmd *cobra.Command) {
	cmd.Use = "logout"
	cmd.Short = "Forgets what login has kept"
	cmd.Long = `
Deletes hookgate/login.json in $XDG_CONFIG_HOME. The JWT in it stays valid until it ends:
nobody can call it back.`
	ExitOnFlags(cmd)
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = FinishWith(func(cmd *cobra.Command, args []string) error {
		if err := NoArgument(args); err != nil {
			return err
		}
		return forgetLogin()
	})
}

// askIssuer asks the server where its operators sign in.
func askIssuer(ctx context.Context, base *url.URL) (*issuer, error) {
	at := new(issuer)
	if _, err := newOperatorClient(base, "", "").do(ctx, call{method: http.MethodGet, path: "/console/sign-in"}, at); err != nil {
		return nil, err
	}
	if at.Issuer == "" {
		return nil, errors.New("the server has no issuer to sign in at: there is no oidc in its configuration")
	}
	// What the issuer says on the way decides where the secret of the client goes.
	if u, err := url.Parse(at.Issuer); err != nil || !fetch.Secure(u) {
		return nil, errors.New("the server names an issuer that is no https:// URL")
	}
	return at, nil
}

// signIn takes the device flow, and returns the id token.
func (i *issuer) signIn(cmd *cobra.Command) (string, error) {
	ctx := oidc.ClientContext(cmd.Context(), fetch.HTTPClient(fetch.Options{
		Timeout: operatorTimeout, MaxBody: 1 << 20, Proxy: http.ProxyFromEnvironment,
	}))
	provider, err := oidc.NewProvider(ctx, i.Issuer)
	if err != nil {
		return "", errors.New("the issuer " + i.Issuer + " does not say how to sign in there")
	}
	config := oauth2.Config{ClientID: i.ClientID, ClientSecret: i.secret, Endpoint: provider.Endpoint(), Scopes: i.Scopes}
	for _, text := range []string{config.Endpoint.DeviceAuthURL, config.Endpoint.TokenURL} {
		u, err := url.Parse(text)
		switch {
		case text == "":
			return "", errors.New("the issuer has no device flow: get a JWT in another way, for --token-file")
		case err != nil || !fetch.Secure(u):
			return "", errors.New("the issuer names an address that is no https:// URL")
		}
	}
	if i.secret == "" {
		config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	begun, err := config.DeviceAuth(ctx, secretOption(i.secret)...)
	if err != nil {
		return "", refusedByIssuer(err)
	}
	where := begun.VerificationURI
	if begun.VerificationURIComplete != "" {
		where = begun.VerificationURIComplete
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Open %s\nand enter the code %s\n", printable(where), printable(begun.UserCode))
	token, err := config.DeviceAccessToken(ctx, begun)
	if err != nil {
		return "", refusedByIssuer(err)
	}
	id, _ := token.Extra("id_token").(string)
	if id == "" {
		return "", errors.New("the issuer gave no id token; has the client the scope openid there?")
	}
	return id, nil
}

// secretOption adds the secret where oauth2 does not: to the request that begins the flow.
func secretOption(secret string) []oauth2.AuthCodeOption {
	if secret == "" {
		return nil
	}
	return []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("client_secret", secret)}
}

var issuerCode = regexp.MustCompile(`^[a-z0-9_.-]{1,64}$`)

// refusedByIssuer says why, in the issuer's code alone: what else it answers can hold
// tokens.
func refusedByIssuer(err error) error {
	var answer *oauth2.RetrieveError
	switch {
	case errors.As(err, &answer) && issuerCode.MatchString(answer.ErrorCode):
		return errors.New("the issuer refuses the sign-in: " + answer.ErrorCode)
	case errors.As(err, &answer) && answer.Response != nil:
		return errors.New("the issuer refuses the sign-in: status " + answer.Response.Status)
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("nobody entered the code in time: begin again")
	}
	return errors.New("the issuer does not answer as one of the device flow does")
}

// welcome keeps the token once the server takes it, and says as whom.
func welcome(cmd *cobra.Command, base *url.URL, token string) error {
	var me api.Me
	if _, err := newOperatorClient(base, token, "").do(cmd.Context(), call{method: http.MethodGet, path: api.MePath}, &me); err != nil {
		return err
	}
	if err := keepLogin(login{Server: base.String(), Token: token}); err != nil {
		return err
	}
	tenants := make([]string, len(me.Tenants))
	for i, t := range me.Tenants {
		tenants[i] = t.String()
	}
	slices.Sort(tenants)
	fmt.Fprintf(cmd.ErrOrStderr(), "Signed in as %s until %s: %s of %s\n", printable(me.Subject), me.ExpiresAt.Local().Format(time.DateTime), me.Role, strings.Join(tenants, ", "))
	if len(tenants) > 1 {
		fmt.Fprintf(cmd.ErrOrStderr(), "Choose one of these tenants with --tenant, or in %s\n", tenantEnv)
	}
	return nil
}
