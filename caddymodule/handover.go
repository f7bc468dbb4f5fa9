package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/hookgate/hookgate/handover"
)

func init() { caddy.RegisterModule(Listener{}) }

// retirement is how long a reload waits for requests under way before the old servers
// are shut down. A request that takes longer gets its answer all the same, with
// "Connection: close".
const retirement = time.Second

// Listener makes a reload lose no request: without it Caddy closes connections on
// which a client may be sending, and resets those that it has not accepted yet. It
// stands first in listener_wrappers, before tls.
type Listener struct {
	app    *App
	logger *zap.Logger
}

// CaddyModule returns the Caddy module information.
func (Listener) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.listeners.hookgate", New: func() caddy.Module { return new(Listener) }}
}

// Provision makes the servers and the events of the configuration known to the app.
func (l *Listener) Provision(ctx caddy.Context) (err error) {
	if l.app, err = configuredApp(ctx); err != nil {
		return err
	}
	l.logger = ctx.Logger()
	for _, module := range ctx.Modules() {
		if servers, ok := module.(*caddyhttp.App); ok {
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
	l.app.Shift().add(wrapped)
	return wrapped
}

// UnmarshalCaddyfile parses the wrapper, which takes no arguments.
func (l *Listener) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { return words{}.parseAlone(d) }

// shift is the time of one configuration's servers, from when all of it has started
// until another one has.
type shift struct {
	mu        sync.Mutex
	known     bool
	listeners []*handover.Listener
}

// provision makes a configuration's servers and events known to its shift, once.
func provision(ctx caddy.Context, servers *caddyhttp.App, s *shift) error {
	if !s.enter() {
		return nil
	}
	for _, server := range servers.Servers {
		if err := beforeTLS(server); err != nil {
			return err
		}
		server.RegisterConnState(handover.ConnState)
	}
	events, err := ctx.App("events")
	if err != nil {
		return err
	}
	// Not while the servers start: what starts after them may fail still.
	if err := events.(*caddyevents.App).On("started", eventHandler(s.begin)); err != nil {
		return err
	}
	return events.(*caddyevents.App).On("stopping", eventHandler(s.end))
}

// beforeTLS checks the place of our wrapper: behind tls there are no connections that
// another server could take.
func beforeTLS(server *caddyhttp.Server) error {
	names, err := wrappers(server)
	if at := slices.Index(names, wrapperName); at >= 0 && !slices.Contains(names[at:], "tls") {
		return errors.New("hookgate: in listener_wrappers write tls behind hookgate")
	}
	return err
}

// wrapperName is what our wrapper is called in listener_wrappers.
const wrapperName = "hookgate"

// wrappers returns the names of a server's listener wrappers.
func wrappers(server *caddyhttp.Server) ([]string, error) {
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

// enter reports whether the shift is asked for the first time.
func (s *shift) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.known
	s.known = true
	return first
}

func (s *shift) add(l *handover.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, l)
}

func (s *shift) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		l.TakeOver()
	}
}

func (s *shift) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), retirement)
	defer cancel()
	var retiring sync.WaitGroup
	for _, l := range s.listeners {
		retiring.Go(func() { l.Retire(ctx) })
	}
	retiring.Wait()
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
