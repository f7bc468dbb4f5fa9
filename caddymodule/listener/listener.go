// Package listener is the listener wrapper hookgate, by which a reload loses no request.
package listener

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/caddymodule/handlers"
	"github.com/hookgate/hookgate/internal/handover"
	"github.com/hookgate/hookgate/lane"
)

func init() { caddy.RegisterModule(Listener{}) }

// Listener makes a reload lose no request: without it Caddy closes connections on
// which a client may be sending, and resets those that it has not accepted yet. It
// stands first in listener_wrappers.
type Listener struct {
	app     *app.App
	ctx     caddy.Context
	servers *caddyhttp.App
	server  *caddyhttp.Server
	logger  *zap.Logger

	wrappers []string // of server: Caddy forgets them when they are set up
}

// CaddyModule returns the Caddy module information.
func (Listener) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.listeners.hookgate", New: func() caddy.Module { return new(Listener) }}
}

// Provision makes the servers and the events of the configuration known to the app.
func (l *Listener) Provision(ctx caddy.Context) (err error) {
	if l.app, err = app.Configured(ctx); err != nil {
		return err
	}
	l.ctx, l.logger = ctx, ctx.Logger()
	if l.server, _ = ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); l.server != nil {
		if l.wrappers, err = Wrappers(l.server); err != nil {
			return err
		}
	}
	for _, module := range ctx.Modules() {
		if servers, ok := module.(*caddyhttp.App); ok {
			l.servers = servers
			return provision(ctx, servers, l.app.Shift())
		}
	}
	return errors.New("hookgate: this listener wrapper is for HTTP servers")
}

// WrapListener implements caddy.ListenerWrapper.
func (l *Listener) WrapListener(ln net.Listener) net.Listener {
	wrapped, err := handover.Wrap(ln)
	if err != nil {
		l.logger.Warn("a reload may reset connections that are just being made", zap.Error(err))
	}
	wrapped.HeaderTooLarge = handlers.CountHeaderTooLarge
	l.express(wrapped)
	l.app.Shift().Add(wrapped)
	return wrapped
}

// express puts the lane before the server, where there is something for it.
func (l *Listener) express(wrapped *handover.Listener) {
	address := zap.Stringer("address", wrapped.Addr())
	served, why := l.servedExpress()
	if served == nil {
		l.logger.Info("every request goes through Caddy's server", address, zap.String("reason", why))
		return
	}
	wrapped.Express = &lane.Lane{
		Handler: served, Declined: handlers.CountDeclined,
		FirstTimeout: time.Duration(l.server.ReadHeaderTimeout), IdleTimeout: time.Duration(l.server.IdleTimeout),
		WriteTimeout: time.Duration(l.server.WriteIdleTimeout),
	}
	l.server.RegisterOnStop(func(ctx context.Context) error {
		if !caddy.Exiting() {
			return nil // the process goes on, and with it what is being served
		}
		return wrapped.Drain(ctx)
	})
	l.logger.Info("plain requests take the express lane", address)
}

// servedExpress returns what the lane serves of the server, or why there is nothing.
func (l *Listener) servedExpress() (served *handlers.Express, why string) {
	if l.server == nil {
		return nil, "its server is unknown"
	}
	return Express(l.ctx, l.app, l.servers, l.server, l.wrappers)
}

// Express returns what the express lane serves of a server with these listener wrappers, in
// a configuration that is set up, or why it serves nothing.
func Express(ctx caddy.Context, instance *app.App, servers *caddyhttp.App, server *caddyhttp.Server, wrappers []string) (served *handlers.Express, why string) {
	switch {
	case !instance.ExpressLane():
		return nil, "express off"
	case !slices.Contains(wrappers, WrapperName):
		return nil, "it does not have hookgate in listener_wrappers"
	case len(Between(wrappers)) > 0:
		return nil, "it has other listener wrappers"
	}
	return handlers.NewExpress(ctx, servers, server)
}

// UnmarshalCaddyfile parses the wrapper, which takes no arguments.
func (l *Listener) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return grammar.Words{}.ParseAlone(d)
}

// provision makes a configuration's servers and events known to its shift, once.
func provision(ctx caddy.Context, servers *caddyhttp.App, s *handover.Shift) error {
	if !s.Enter() {
		return nil
	}
	for _, server := range servers.Servers {
		names, err := Wrappers(server)
		if err != nil {
			return err
		}
		if err := CheckOrder(names); err != nil {
			return err
		}
		server.RegisterConnState(handover.ConnState)
		server.RegisterConnContext(handover.ConnContext)
	}
	events, err := ctx.App("events")
	if err != nil {
		return err
	}
	// Not while the servers start: what starts after them may fail still.
	if err := events.(*caddyevents.App).On("started", eventHandler(s.Begin)); err != nil {
		return err
	}
	return events.(*caddyevents.App).On("stopping", eventHandler(s.End))
}

// CheckOrder checks the place of our wrapper. It accepts connections at the socket that
// all servers of an address share, past every wrapper before it, be that tls or one that
// reads the address of the client first, as proxy_protocol does.
func CheckOrder(names []string) error {
	at := slices.Index(names, WrapperName)
	switch {
	case at < 0:
	case !slices.Contains(names, "tls"): // which Caddy then puts before all others
		return errors.New("hookgate: in listener_wrappers write tls behind hookgate")
	case at > 0:
		return fmt.Errorf("hookgate: in listener_wrappers write hookgate first, before %s", names[0])
	}
	return nil
}

// Between returns the wrappers behind ours that may hold back bytes of a connection. Ours
// does not pass on idle connections through them: a reload closes these.
func Between(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == WrapperName || name == "tls" })
}

// WrapperName is what our wrapper is called in listener_wrappers.
const WrapperName = "hookgate"

// Wrappers returns the names of a server's listener wrappers.
func Wrappers(server *caddyhttp.Server) ([]string, error) {
	names := make([]string, len(server.ListenerWrappersRaw))
	for i, raw := range server.ListenerWrappersRaw {
		var module struct{ Wrapper string }
		if err := json.Unmarshal(raw, &module); err != nil {
			return nil, err
		}
		names[i] = module.Wrapper
	}
	return names, nil
}

// eventHandler is called at an event of Caddy's.
type eventHandler func()

// Handle implements caddyevents.Handler.
func (h eventHandler) Handle(context.Context, caddy.Event) error {
	h()
	return nil
}

// Interface guards
var (
	_ caddy.Provisioner     = (*Listener)(nil)
	_ caddy.ListenerWrapper = (*Listener)(nil)
	_ caddyfile.Unmarshaler = (*Listener)(nil)
	_ caddyevents.Handler   = eventHandler(nil)
)
