package handlers

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/caddymodule/vars"
	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/internal/authorities"
	"github.com/hookgate/hookgate/internal/upstream"
	"github.com/hookgate/hookgate/problem"
)

func init() { caddy.RegisterModule(Proxy{}) }

const (
	defaultTryDuration           = caddy.Duration(2 * time.Second)
	defaultDialTimeout           = caddy.Duration(time.Second)
	defaultResponseHeaderTimeout = caddy.Duration(4 * time.Second)
)

// Proxy sends requests to one upstream, and does nothing else: no load balancing, no
// health checks, no buffering. It is the standard library's reverse proxy, which
// costs two thirds of Caddy's reverse_proxy; use that one for what is missing here.
type Proxy struct {
	// The upstream: host:port, http://, https://, h2c:// or unix//path.
	Upstream string `json:"upstream,omitempty"`

	// How long to go on dialling an upstream that cannot be reached. Default: 2s.
	TryDuration caddy.Duration `json:"try_duration,omitempty"`

	// How long one dial may take. Default: 1s.
	DialTimeout caddy.Duration `json:"dial_timeout,omitempty"`

	// How long to wait for the header of an answer. Vendors give up after 5 s.
	// Default: 4s.
	ResponseHeaderTimeout caddy.Duration `json:"response_header_timeout,omitempty"`

	// A PEM file with the authorities to trust for https:// instead of the system's.
	TLSCA string `json:"tls_ca,omitempty"`

	// Which Host the upstream gets: `client` for the client's, or `upstream` for its own
	// as configured. Default: `upstream` for https://, `client` for all others.
	Host string `json:"host,omitempty"`

	// Takes requests that no guard has decided on, for other routes of the upstream.
	// Without it they are 500.
	Unguarded bool `json:"unguarded,omitempty"`

	// hasForm reports whether a path has the form of a guarded route of any guard.
	hasForm   func(path string) bool
	logger    *zap.Logger
	to        upstream.Address
	transport *upstream.Transport
	proxy     *httputil.ReverseProxy
}

// What Host can be.
const (
	hostClient   = "client"
	hostUpstream = "upstream"
)

// CaddyModule returns the Caddy module information.
func (Proxy) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.hookgate_proxy", New: func() caddy.Module { return new(Proxy) }}
}

// Provision sets up the way to the upstream. It does not dial.
func (p *Proxy) Provision(ctx caddy.Context) error {
	if p.TryDuration == 0 {
		p.TryDuration = defaultTryDuration
	}
	if p.DialTimeout == 0 {
		p.DialTimeout = defaultDialTimeout
	}
	if p.ResponseHeaderTimeout == 0 {
		p.ResponseHeaderTimeout = defaultResponseHeaderTimeout
	}
	address, err := grammar.Resolve("hookgate_proxy", p.Upstream)
	if err != nil {
		return err
	}
	to, err := upstream.ParseAddress(address)
	if err != nil {
		return fmt.Errorf("hookgate_proxy: %w", err)
	}
	roots, err := rootsOf(p.TLSCA, to.Scheme)
	if err != nil {
		return fmt.Errorf("hookgate_proxy: %w", err)
	}
	if p.Host == "" {
		p.Host = hostClient
		if to.Scheme == "https" {
			p.Host = hostUpstream // whoever serves many sites looks for one of his own
		}
	}
	if p.Host != hostClient && p.Host != hostUpstream {
		return errors.New("hookgate_proxy: host must be upstream or client")
	}
	if p.Unguarded {
		instance, err := app.Configured(ctx)
		if err != nil {
			return err
		}
		p.hasForm = instance.Peers().HasForm
	}
	p.logger = ctx.Logger()
	log, err := zap.NewStdLogAt(p.logger.Named("stdlib"), zap.WarnLevel)
	if err != nil {
		return err
	}
	p.to = to
	p.transport = upstream.New(to, upstream.Options{
		TryDuration: time.Duration(p.TryDuration), DialTimeout: time.Duration(p.DialTimeout),
		ResponseHeaderTimeout: time.Duration(p.ResponseHeaderTimeout), RootCAs: roots,
	})
	p.proxy = &httputil.ReverseProxy{
		Transport: p.transport,
		Rewrite:   p.rewrite,
		ErrorHandler: func(_ http.ResponseWriter, r *http.Request, err error) {
			caddyhttp.SetVar(r.Context(), proxyErrorVar, err)
		},
		ErrorLog:   log,
		BufferPool: copyBuffers{},
	}
	return nil
}

// rewrite makes the request to the upstream of the client's.
func (p *Proxy) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme, r.Out.URL.Host = p.to.Scheme, p.to.Host
	if p.Host == hostUpstream {
		r.Out.Host = p.to.Host
	}
	// The standard library drops what it cannot parse of a query. Ours passes as it is:
	// it decided nothing, so no two readings of it can matter.
	r.Out.URL.RawQuery = r.In.URL.RawQuery
	setForwarded(r)
	upstream.UsualNames(r.Out.Header)
	// The standard library has removed hop-by-hop headers by now, so nothing that a
	// client says can take these away.
	if forwarding := vars.Forwarding(r.In); forwarding != nil {
		forwarding.Restore(r.Out.Header)
	} else {
		guard.StripIdentity(r.Out.Header)
		guard.SetRequestID(r.Out.Header, vars.RequestID(r.In))
	}
}

// Cleanup closes idle connections; requests of the old configuration keep theirs.
func (p *Proxy) Cleanup() error {
	if p.transport != nil {
		p.transport.Close()
	}
	return nil
}

// rootsOf returns the authorities in the file of tls_ca, or nil for the system's.
func rootsOf(file, scheme string) (*x509.CertPool, error) {
	if file != "" && scheme != "https" {
		return nil, errors.New("tls_ca needs an https:// address")
	}
	return authorities.Read(file)
}

// proxyErrorVar is the request variable by which a failure gets out of the standard
// library's proxy.
const proxyErrorVar = "hookgate.proxy_error"

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	if vars.Forwarding(r) != nil {
		return p.forward(w, r)
	}
	if !p.Unguarded {
		return refuse(p.logger, w, r, problem.Internal, zap.ErrorLevel, "there is no guard in front of hookgate_proxy: write hookgate before it, or unguarded in its block")
	}
	if p.hasForm(r.URL.EscapedPath()) {
		return refuse(p.logger, w, r, problem.NoRoute, zap.InfoLevel, "refused: the path is a guard's", zap.String("outcome", string(guard.NoRoute)))
	}
	// Trailers arrive after headers were stripped, and could repeat any of them.
	r.Trailer = nil
	err := p.forward(gate.WithRequestID(gate.WithoutInterim(w, r), vars.RequestID(r)), r)
	var failure caddyhttp.HandlerError
	if !errors.As(err, &failure) || failure.StatusCode < 500 {
		return err
	}
	return refuse(p.logger, w, r, gate.UpstreamProblem(failure.StatusCode, failure.Err), zap.ErrorLevel, "the upstream did not answer", zap.Error(failure.Err))
}

// forward sends r to the upstream, and its answer to the client.
func (p *Proxy) forward(w http.ResponseWriter, r *http.Request) error {
	w.Header().Del("Server") // the upstream's own stands alone
	p.proxy.ServeHTTP(w, r)
	err, _ := caddyhttp.GetVar(r.Context(), proxyErrorVar).(error)
	return failure(err)
}

// failure returns what an exchange with the upstream failed with, as Caddy's handlers say
// it.
func failure(err error) error {
	var timeout net.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return caddyhttp.Error(statusClientClosed, err)
	case !upstream.NotSent(err) && errors.As(err, &timeout) && timeout.Timeout():
		return caddyhttp.Error(http.StatusGatewayTimeout, err)
	}
	return caddyhttp.Error(http.StatusBadGateway, err)
}

// statusClientClosed is nginx' and Caddy's status for a client that went away.
const statusClientClosed = 499

// setForwarded tells the upstream of the client as Caddy knows it. X-Forwarded-For is
// one address, never a list: what Matcher compares with its allowlist is the whole
// header. Host and scheme are a trusted proxy's word, or our own.
func setForwarded(r *httputil.ProxyRequest) {
	ctx := r.In.Context()
	out := r.Out.Header
	if ip, ok := caddyhttp.GetVar(ctx, caddyhttp.ClientIPVarKey).(string); ok && ip != "" {
		out["X-Forwarded-For"] = []string{ip}
	}
	host, proto := r.In.Host, "http"
	if r.In.TLS != nil {
		proto = "https"
	}
	if trusted, _ := caddyhttp.GetVar(ctx, caddyhttp.TrustedProxyVarKey).(bool); trusted {
		if h := r.In.Header.Get("X-Forwarded-Host"); h != "" {
			host = h
		}
		if p := r.In.Header.Get("X-Forwarded-Proto"); p != "" {
			proto = p
		}
	}
	out["X-Forwarded-Host"] = []string{host}
	out["X-Forwarded-Proto"] = []string{proto}
}

// copyBuffers lends the proxy buffers to copy bodies with.
type copyBuffers struct{}

const copyBufferSize = 32 << 10

var copyBufferPool = sync.Pool{New: func() any { return new([copyBufferSize]byte) }}

func (copyBuffers) Get() []byte  { return copyBufferPool.Get().(*[copyBufferSize]byte)[:] }
func (copyBuffers) Put(b []byte) { copyBufferPool.Put((*[copyBufferSize]byte)(b)) }

// Interface guards
var (
	_ caddy.Provisioner           = (*Proxy)(nil)
	_ caddy.CleanerUpper          = (*Proxy)(nil)
	_ caddyhttp.MiddlewareHandler = (*Proxy)(nil)
	_ httputil.BufferPool         = copyBuffers{}
)
