package handlers

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/hookgate/hookgate/caddymodule/vars"
	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/internal/wire"
	"github.com/hookgate/hookgate/lane"
)

// Express is a server of Caddy's as the lane serves it: its guards, and the proxies right
// behind them.
type Express struct {
	server *caddyhttp.Server
	sites  []site
	log    accessLog
	logger *zap.Logger

	proxies  []netip.Prefix // those whose word on the client counts
	anyProxy bool           // only Caddy knows whose does
}

// site is a route of a server with nothing but a guard and a proxy; a nil guard is any
// other route.
type site struct {
	express *Express
	hosts   []string // in lower case; nil: any
	guard   *Guard
	proxy   *Proxy
}

// NewExpress returns what the lane can serve of a server, or in why the reason why it can
// serve nothing.
func NewExpress(ctx caddy.Context, servers *caddyhttp.App, server *caddyhttp.Server) (e *Express, why string) {
	switch {
	case len(server.TLSConnPolicies) > 0:
		return nil, "it speaks TLS"
	case server.Errors != nil:
		return nil, "it has handle_errors"
	case servers.Metrics != nil: // those of one server are among them
		return nil, "Caddy's own metrics are on"
	case server.EnableFullDuplex, len(server.ExpectedUnderscoreHeaders) > 0, len(server.ExpectedDotHeaders) > 0:
		return nil, "it changes how requests are read"
	case server.MaxHeaderBytes > 0 && server.MaxHeaderBytes < lane.MaxHead:
		return nil, "its max_header_size is small"
	case server.Protocols != nil && !slices.Contains(server.Protocols, "h1"), server.ListenProtocols != nil:
		return nil, "it does not speak HTTP/1.1 on every address"
	case server.WriteTimeout > 0, server.WriteMinRate > 0: // write_idle is the lane's own
		return nil, "its timeouts bound how long a whole answer takes"
	case !plainLogs(server.Logs):
		return nil, "its access log has patterns of hosts"
	}
	e = &Express{server: server, log: newAccessLog(ctx, server), logger: ctx.Logger(new(Guard))}
	var known bool
	e.proxies, known = vars.TrustedProxies(server)
	e.anyProxy = !known
	why = "it has no site of a guard and hookgate_proxy alone"
	for _, route := range routesOf(server) {
		s := plainSite(route)
		s.express = e
		e.sites = append(e.sites, s)
		if s.guard != nil {
			why = ""
		}
		if s.guard == nil || s.hosts == nil {
			break // what comes behind it is out of reach
		}
	}
	if why != "" {
		return nil, why
	}
	return e, ""
}

// routesOf returns the routes of a server as they are configured.
func routesOf(server *caddyhttp.Server) caddyhttp.RouteList {
	if len(server.Routes) == 1 && len(server.Routes[0].Handlers) == 1 {
		if u, ok := server.Routes[0].Handlers[0].(*unhandled); ok {
			return u.routes
		}
	}
	return server.Routes
}

// plainSite returns a route as a site; without a guard it is not plain.
func plainSite(route caddyhttp.Route) (s site) {
	switch len(route.MatcherSets) {
	case 0:
	case 1:
		set := route.MatcherSets[0]
		host, ok := set[0].(*caddyhttp.MatchHost)
		if !ok || len(set) != 1 {
			return site{}
		}
		for _, name := range *host {
			if strings.ContainsAny(name, "*{:") {
				return site{}
			}
			s.hosts = append(s.hosts, strings.ToLower(name))
		}
	default:
		return site{}
	}
	handlers := route.Handlers
	for len(handlers) == 1 {
		within, ok := handlers[0].(*caddyhttp.Subroute)
		if !ok || within.Errors != nil || len(within.Routes) != 1 || len(within.Routes[0].MatcherSets) > 0 {
			return site{}
		}
		handlers = within.Routes[0].Handlers
	}
	if len(handlers) != 2 {
		return site{}
	}
	guarded, isGuard := handlers[0].(*Guard)
	proxy, isProxy := handlers[1].(*Proxy)
	if isGuard && isProxy {
		s.guard, s.proxy = guarded, proxy
	}
	return s
}

// challenges is where Caddy answers a certificate authority, before any route.
const challenges = "/.well-known/"

// Site implements lane.Handler.
func (e *Express) Site(host, path string) lane.Site {
	if strings.HasPrefix(path, challenges) {
		return nil
	}
	name, _, hasPort := strings.Cut(host, ":")
	if hasPort && strings.Contains(host[len(name)+1:], ":") {
		name = host // as net.SplitHostPort takes it, which has words to say about it
	}
	for i := range e.sites {
		s := &e.sites[i]
		if s.hosts != nil && !slices.ContainsFunc(s.hosts, func(h string) bool { return strings.EqualFold(h, name) }) {
			continue
		}
		if s.guard == nil {
			return nil
		}
		return s
	}
	return nil
}

var (
	serverName = []string{caddyhttp.ServerHeader}
	inServer   = new(http.Server)
)

// Serve implements lane.Site.
func (s *site) Serve(w *lane.Answer, r *wire.Request) {
	expressServed.Inc()
	defer s.express.abort()
	began := time.Now()
	if !s.takesBytes(r) || !s.serveBytes(w, r, began) {
		s.serve(w, r, "", began, s.guard.gate.Serve)
	}
}

// serve serves a request as one of net/http, under its id where it has one already.
func (s *site) serve(answer *lane.Answer, plain *wire.Request, id string, began time.Time, through func(http.ResponseWriter, *http.Request, gate.Handler) error) {
	e := s.express
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer answer.Watch(cancel)()
	w := http.ResponseWriter(answer)
	w.Header()["Server"] = serverName
	r := e.prepare(w, plain.HTTP().WithContext(ctx), plain.Client)
	if id != "" {
		vars.SetRequestID(r, id)
	}
	w = gate.WithRequestID(w, vars.RequestID(r))
	if line, ok := e.log.begin(w, r, began); ok {
		defer line.write()
		w = line
	}
	if err := through(w, r, caddyhttp.HandlerFunc(s.proxy.direct)); err != nil {
		panic(http.ErrAbortHandler) // of a client that is gone: there is nobody to tell
	}
}

// abort ends a connection upon a panic, as net/http's server does, and says so in the log
// unless the handler meant it. The value may hold parts of the request.
func (e *Express) abort() {
	p := recover()
	if p == nil {
		return
	}
	if p != http.ErrAbortHandler {
		e.logger.Error("panic while serving a request", zap.StackSkip("stack", 1))
	}
	panic(http.ErrAbortHandler)
}

// prepare gives a request the context that Caddy would give it, as far as a handler here looks
// at it. Where the peer may be a trusted proxy, Caddy itself says who sent the request.
func (e *Express) prepare(w http.ResponseWriter, r *http.Request, client wire.Client) *http.Request {
	if e.mayTrust(client) {
		return caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, e.server)
	}
	return e.withClient(r, client.Text)
}

// withClient returns r with a context that says who sent it, no trusted proxy.
func (e *Express) withClient(r *http.Request, client string) *http.Request {
	return r.WithContext(&requestContext{Context: r.Context(), server: e.server, vars: map[string]any{
		caddyhttp.TrustedProxyVarKey: false, caddyhttp.ClientIPVarKey: client,
	}})
}

// requestContext is the context of a request without all that Caddy would compute for it.
type requestContext struct {
	context.Context
	server *caddyhttp.Server
	vars   map[string]any
}

// Value implements context.Context.
func (c *requestContext) Value(key any) any {
	switch key {
	case caddyhttp.VarsCtxKey:
		return c.vars
	case caddyhttp.ServerCtxKey:
		return c.server
	case http.ServerContextKey:
		return inServer // by which the standard library's proxy knows that a panic is caught
	}
	return c.Context.Value(key)
}

var (
	_ lane.Handler = (*Express)(nil)
	_ lane.Site    = (*site)(nil)
)
