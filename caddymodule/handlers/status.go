package handlers

import (
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/gate"
)

func init() {
	caddy.RegisterModule(Status{})
	httpcaddyfile.RegisterHandlerDirective("hookgate_status", parseStatus)
	httpcaddyfile.RegisterDirectiveOrder("hookgate_status", httpcaddyfile.Before, "respond")
}

// Status serves /healthz, /readyz and /metrics, for a kubelet and for Prometheus.
type Status struct {
	handler http.Handler
}

// CaddyModule returns the Caddy module information.
func (Status) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.hookgate_status", New: func() caddy.Module { return new(Status) }}
}

// Provision sets up the handler.
func (s *Status) Provision(ctx caddy.Context) error {
	app, err := app.Configured(ctx)
	if err != nil {
		return err
	}
	s.handler = newStatus(ctx, app)
	return nil
}

// newStatus returns the status handler of a configuration.
func newStatus(ctx caddy.Context, app *app.App) http.Handler {
	return admin.NewStatus(admin.StatusConfig{
		Store:        app.Store(),
		MaxStaleness: time.Duration(app.MaxStaleness),
		Draining:     caddy.Exiting,
		Metrics:      promhttp.HandlerFor(ctx.GetMetricsRegistry(), promhttp.HandlerOpts{EnableOpenMetrics: app.Tracer() != nil}), // the form that has exemplars
		Now:          time.Now,
	})
}

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (s *Status) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	gate.ServeSettled(s.handler, w, r)
	return nil
}

func parseStatus(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	s := new(Status)
	return s, s.UnmarshalCaddyfile(h.Dispenser)
}

// UnmarshalCaddyfile parses `hookgate_status`, which takes no arguments.
func (s *Status) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return grammar.Words{}.ParseAlone(d)
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Status)(nil)
	_ caddyhttp.MiddlewareHandler = (*Status)(nil)
	_ caddyfile.Unmarshaler       = (*Status)(nil)
)
