// Package handlers has the HTTP handlers of a site: the guard, the proxy behind it, the
// admin API and the status paths. Each is a configuration and a call.
package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"golang.org/x/net/http/httpguts"

	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/guard"
)

func init() { caddy.RegisterModule(Guard{}) }

const (
	defaultTokenHeader = "X-Callback-Token"
	defaultCallback    = "/v1/exceptions/{exceptionId}/callback"
	defaultWebhook     = "/v1/discovery/webhooks/{vendor}/{token}"
	DefaultMaxBody     = 1 << 20
)

// Guard authenticates inbound webhooks. It passes a request to the next handler
// only with a live credential, tells the upstream who it comes from, and answers
// everything else itself.
type Guard struct {
	// The header that carries a callback token. Default: `X-Callback-Token`.
	TokenHeader string `json:"token_header,omitempty"`

	// Paths that take a callback token in the header; each has {exceptionId}.
	Callback []string `json:"callback,omitempty"`

	// Paths that carry a webhook token; each has {vendor} and {token}. With no path of
	// any kind given, the guard takes the callback and webhook paths of Matcher.
	Webhook []string `json:"webhook,omitempty"`

	// Paths for api credentials, which are presented as HTTP Basic.
	API []APIPath `json:"api,omitempty"`

	// Where requests go, by the path under which they come: a path with {credentialId}
	// and, by kind, {exceptionId}, or {vendor}, {connection} and, with forward_token,
	// {token}. By default they go to the path under which they come, with the
	// credential's id in place of the token.
	Upstreams map[string]string `json:"upstreams,omitempty"`

	// Which version of Matcher stands behind the guard; it stands for several of the words
	// here.
	Matcher *Matcher `json:"matcher,omitempty"`

	// Leaves the token in the header and in the path, for an upstream that checks it
	// again.
	ForwardToken bool `json:"forward_token,omitempty"`

	// Vouches to the upstream with a JWT.
	AssertJWT *AssertJWT `json:"assert_jwt,omitempty"`

	// With `body`, requests without an idempotency key get one that is made of their
	// body.
	IdempotencyKey string `json:"idempotency_key,omitempty"`

	// Headers that pass though their names tell of a client, a user, a tenant, a host or the like.
	PassHeaders []string `json:"pass_headers,omitempty"`

	// The largest body in bytes. Default: 1 MiB.
	MaxBody int64 `json:"max_body,omitempty"`

	// What stands before the path in the URLs that vendors post to: some of them sign it.
	// By default that of the admin API of the process.
	PublicURL         string `json:"public_url,omitempty"`
	PublicURLInsecure bool   `json:"public_url_insecure,omitempty"`

	// Further conditions on requests of a vendor, by its name.
	Vendors map[string]*Vendor `json:"vendors,omitempty"`

	// How often one client address may be refused before it is told to wait.
	// Default: 60 times in any minute.
	FailureLimit *FailureLimit `json:"failure_limit,omitempty"`

	app         *app.App
	logger      *zap.Logger
	policy      guard.Policy
	gate        *gate.Gate
	throttleKey string // in throttles; "" until we hold a reference
}

// CaddyModule returns the Caddy module information.
func (Guard) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.hookgate", New: func() caddy.Module { return new(Guard) }}
}

// Provision compiles the policy.
func (g *Guard) Provision(ctx caddy.Context) error {
	instance, err := app.Configured(ctx)
	if err != nil {
		return err
	}
	g.app, g.logger = instance, ctx.Logger()
	if g.TokenHeader == "" {
		g.TokenHeader = defaultTokenHeader
	}
	if !httpguts.ValidHeaderFieldName(g.TokenHeader) {
		return errors.New("hookgate: token_header is not a header name")
	}
	g.TokenHeader = http.CanonicalHeaderKey(g.TokenHeader)
	if err := g.expandMatcher(); err != nil {
		return err
	}
	if len(g.Callback)+len(g.Webhook)+len(g.API) == 0 {
		g.Callback, g.Webhook = []string{defaultCallback}, []string{defaultWebhook}
	}
	if g.MaxBody == 0 {
		g.MaxBody = DefaultMaxBody
	}
	if g.MaxBody < 0 {
		return errors.New("hookgate: max_body must be positive")
	}
	for i, name := range g.PassHeaders {
		if !httpguts.ValidHeaderFieldName(name) || !guard.CanPass(name) {
			return fmt.Errorf("hookgate: pass_headers: %q is no header that can pass", name)
		}
		g.PassHeaders[i] = http.CanonicalHeaderKey(name)
	}
	g.policy = guard.Policy{
		Tenants: g.policy.Tenants, TokenHeader: g.TokenHeader, PassHeaders: g.PassHeaders, ForwardToken: g.ForwardToken, KeyFromBody: g.IdempotencyKey == idempotencyBody,
		MaxBody: g.MaxBody, MaxStaleness: time.Duration(instance.MaxStaleness),
	}
	if err := g.addRoutes(); err != nil {
		return err
	}
	if err := g.addVendors(); err != nil {
		return err
	}
	if err := g.checkCertificates(ctx); err != nil {
		return err
	}
	for name := range g.Vendors {
		countsVendor(name)
	}
	if err := g.provisionPublicURL(ctx); err != nil {
		return err
	}
	g.policy.Beside = instance.Peers().Policies
	instance.Peers().Guards(&g.policy)
	if err := g.checkIdempotency(); err != nil {
		return err
	}
	if err := g.provisionAssertion(); err != nil {
		return err
	}
	if err := app.Register(ctx.GetMetricsRegistry(), authRequests, authDuration, upstreamResponses, proofs, replaysUnchecked, upstreamTranslations, expressRequests); err != nil {
		return err
	}
	if err := g.provisionThrottle(); err != nil {
		return err
	}
	if err := refuseUnhandled(ctx); err != nil {
		return err
	}
	g.gate = &gate.Gate{
		Policy: g.policy, Keyring: instance.Store().Keyring(), Server: server{instance.Store()}, Logger: g.logger, Now: time.Now,
		Room: app.HeldBodies(), Replays: replays{instance.Store(), g.logger}, Tracer: instance.Tracer(),
	}
	return nil
}

// idempotencyBody is the one value of idempotency_key.
const idempotencyBody = "body"

func (g *Guard) checkIdempotency() error {
	if g.IdempotencyKey != "" && g.IdempotencyKey != idempotencyBody {
		return errors.New("hookgate: idempotency_key takes body")
	}
	return nil
}

// Cleanup gives the throttle back.
func (g *Guard) Cleanup() error { return g.releaseThrottle() }

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	return g.gate.Serve(w, r, next)
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Guard)(nil)
	_ caddy.CleanerUpper          = (*Guard)(nil)
	_ caddyhttp.MiddlewareHandler = (*Guard)(nil)
)
