package handlers

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/caddymodule/vars"
	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/guard"
)

func init() { caddy.RegisterModule(Admin{}) }

// Admin serves the API by which operators mint, list, rotate and revoke
// credentials, and the status paths. It belongs on a listener of its own that
// vendors cannot reach.
type Admin struct {
	// Where vendors reach the guard: the base of every webhook URL. Without it
	// webhook tokens cannot be minted.
	PublicURL string `json:"public_url,omitempty"`

	// Takes a public URL that vendors would refuse: without TLS, on another port, or
	// without a domain name.
	PublicURLInsecure bool `json:"public_url_insecure,omitempty"`

	// Which bearer tokens are accepted. Required.
	JWT *JWT `json:"jwt,omitempty"`

	// Where operators sign in to the console. Without it they need a bearer token there, too.
	OIDC *OIDC `json:"oidc,omitempty"`

	// Which aggregator connections exist. Without it webhook tokens cannot be minted.
	Connections *Connections `json:"connections,omitempty"`

	// The Matcher, from 4.1 on, that mints, lists, rotates and revokes callback and webhook
	// tokens itself, for it checks them again. Without it they are minted here alone.
	Mirror *Mirror `json:"mirror,omitempty"`

	// How often one operator may ask. Default: 100 requests a second, 200 at once.
	RateLimit *RateLimit `json:"rate_limit,omitempty"`

	api    *admin.API
	status http.Handler
}

// CaddyModule returns the Caddy module information.
func (Admin) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.hookgate_admin", New: func() caddy.Module { return new(Admin) }}
}

// Provision builds the API.
func (a *Admin) Provision(ctx caddy.Context) error {
	instance, err := app.Configured(ctx)
	if err != nil {
		return err
	}
	config := admin.Config{Store: instance.Store(), Guards: instance.Peers().Policies, Now: time.Now, Client: clientOf, Logger: ctx.Slogger(), Observe: observeAdmin}
	if config.JWT, err = a.JWT.config(); err != nil {
		return err
	}
	if a.RateLimit != nil {
		config.RateLimit = admin.RateLimit(*a.RateLimit)
	}
	if a.PublicURL != "" {
		url, err := grammar.Resolve("public_url", a.PublicURL)
		if err != nil {
			return err
		}
		if config.PublicURL, err = admin.ParsePublicURL(url, a.PublicURLInsecure); err != nil {
			return fmt.Errorf("hookgate_admin: public_url: %w", err)
		}
		instance.Peers().PublishedAt(config.PublicURL)
	}
	if config.Connections, err = a.Connections.provision(); err != nil {
		return err
	}
	if config.Mirror, err = a.Mirror.provision(ctx.Slogger()); err != nil {
		return err
	}
	if config.SignIn, err = a.OIDC.provision(instance.Keys()); err != nil {
		return err
	}
	config.JWT.AssertedIssuer = instance.Peers().IsAsserted
	if err := instance.Peers().Requires(config.JWT.Issuer); err != nil {
		return err
	}
	if a.api, err = admin.New(config); err != nil {
		return fmt.Errorf("hookgate_admin: %w", err)
	}
	a.status = newStatus(ctx, instance)
	return app.Register(ctx.GetMetricsRegistry(), adminRequests, mirrorPending, mirrorGivenUp)
}

// Cleanup ends what the API does in the background.
func (a *Admin) Cleanup() error {
	if a.api != nil {
		a.api.Close()
	}
	return a.Mirror.release()
}

func clientOf(r *http.Request) netip.Addr { return vars.Peer(r).Client }

func observeAdmin(operation string, status int) {
	code := "cut"
	if status != 0 {
		code = strconv.Itoa(status)
	}
	adminRequests.WithLabelValues(operation, code).Inc()
}

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	defer func() { vars.SetRequestID(r, w.Header().Get(guard.HeaderRequestID)) }()
	handler := a.api.ServeHTTP
	if admin.IsStatusPath(r.URL.Path) {
		handler = a.status.ServeHTTP
	}
	gate.ServeSettled(http.HandlerFunc(handler), w, r)
	return nil
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Admin)(nil)
	_ caddy.CleanerUpper          = (*Admin)(nil)
	_ caddyhttp.MiddlewareHandler = (*Admin)(nil)
)
