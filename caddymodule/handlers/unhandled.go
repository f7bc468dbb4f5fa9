package handlers

import (
	"net/http"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/hookgate/hookgate/caddymodule/vars"
	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/problem"
)

// unhandled stands around all routes of a server with a guard, and refuses what none of
// them takes. Caddy answers that with an empty 200, and a vendor would take its event
// for delivered.
type unhandled struct {
	routes caddyhttp.RouteList
	// compiled is called with the first request: the routes are set up by then.
	compiled func() caddyhttp.Handler
	logger   *zap.Logger
}

// refuseUnhandled puts an unhandled around the routes of the server that a guard is being
// provisioned for, once. Caddy sets routes up first and makes one handler of them then,
// so that what a guard puts in their place counts. It does not for a named route, which
// is set up later.
func refuseUnhandled(ctx caddy.Context) error {
	server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok {
		return nil
	}
	if len(server.Routes) == 1 && len(server.Routes[0].Handlers) == 1 {
		if _, around := server.Routes[0].Handlers[0].(*unhandled); around {
			return nil
		}
	}
	u := &unhandled{routes: server.Routes, logger: ctx.Logger()}
	u.compiled = sync.OnceValue(func() caddyhttp.Handler {
		return u.routes.Compile(caddyhttp.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) error {
			vars.SetUnhandled(r, true)
			return nil
		}))
	})
	around := caddyhttp.Route{Handlers: []caddyhttp.MiddlewareHandler{u}}
	if err := around.ProvisionHandlers(ctx, nil); err != nil {
		return err
	}
	server.Routes = caddyhttp.RouteList{around}
	return nil
}

// ServeHTTP implements caddyhttp.MiddlewareHandler. What a guard has let through is
// answered by the guard.
func (u *unhandled) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	id := vars.RequestID(r)
	if err := u.compiled().ServeHTTP(gate.WithRequestID(w, id), r); err != nil || !vars.Unhandled(r) || vars.Forwarding(r) != nil {
		if err != nil { // Caddy answers, without what has been put around its writer
			w.Header().Set(guard.HeaderRequestID, id)
		}
		return err
	}
	vars.SetUnhandled(r, false) // in the access log
	countDecision("", "", guard.NoRoute)
	outcome := zap.String("outcome", string(guard.NoRoute))
	if u.knows(r) {
		return refuse(u.logger, w, r, problem.NoRoute, zap.InfoLevel, "refused: no route of the site takes the path", outcome)
	}
	return refuse(u.logger, w, r, problem.Misdirected, zap.InfoLevel, "refused: no site of the server is for the Host", outcome)
}

// knows reports whether a site of the server is for the Host of r, whatever else it asks
// for.
func (u *unhandled) knows(r *http.Request) bool {
	for _, route := range u.routes {
		if len(route.MatcherSets) == 0 {
			return true
		}
		for _, set := range route.MatcherSets {
			if forHost(set, r) {
				return true
			}
		}
	}
	return false
}

func forHost(set caddyhttp.MatcherSet, r *http.Request) bool {
	for _, matcher := range set {
		if host, ok := matcher.(*caddyhttp.MatchHost); ok {
			if match, err := host.MatchWithError(r); err != nil || !match {
				return false
			}
		}
	}
	return true
}

var _ caddyhttp.MiddlewareHandler = (*unhandled)(nil)
