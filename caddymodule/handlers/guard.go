// Package handlers has the HTTP handlers of a site: the guard, the proxy behind it, the
// admin API and the status paths. Each is a configuration and a call.
package handlers

import (
	"errors"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/google/uuid"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/net/http/httpguts"

	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/caddymodule/vars"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/problem"
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

	// Leaves the token in the header and in the path, for an upstream that checks it
	// again.
	ForwardToken bool `json:"forward_token,omitempty"`

	// Vouches to the upstream with a JWT.
	AssertJWT *AssertJWT `json:"assert_jwt,omitempty"`

	// With `body`, requests without an idempotency key get one that is made of their
	// body.
	IdempotencyKey string `json:"idempotency_key,omitempty"`

	// The largest body in bytes. Default: 1 MiB.
	MaxBody int64 `json:"max_body,omitempty"`

	// Further conditions on the webhooks of a vendor, by its name in the path.
	Vendors map[string]*Vendor `json:"vendors,omitempty"`

	// How often one client address may be refused before it is told to wait.
	// Default: 60 times in any minute.
	FailureLimit *FailureLimit `json:"failure_limit,omitempty"`

	app         *app.App
	policy      guard.Policy
	asserter    *guard.Asserter // nil: the guard does not vouch
	throttle    *guard.Throttle // nil: off
	throttleKey string          // in throttles; "" until we hold a reference
	logger      *zap.Logger
	now         func() time.Time
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
	g.app, g.logger, g.now = instance, ctx.Logger(), time.Now
	if g.TokenHeader == "" {
		g.TokenHeader = defaultTokenHeader
	}
	if !httpguts.ValidHeaderFieldName(g.TokenHeader) {
		return errors.New("hookgate: token_header is not a header name")
	}
	g.TokenHeader = http.CanonicalHeaderKey(g.TokenHeader)
	if len(g.Callback)+len(g.Webhook)+len(g.API) == 0 {
		g.Callback, g.Webhook = []string{defaultCallback}, []string{defaultWebhook}
	}
	if g.MaxBody == 0 {
		g.MaxBody = DefaultMaxBody
	}
	if g.MaxBody < 0 {
		return errors.New("hookgate: max_body must be positive")
	}
	g.policy = guard.Policy{ForwardToken: g.ForwardToken, MaxBody: g.MaxBody, MaxStaleness: time.Duration(instance.MaxStaleness)}
	if err := g.addRoutes(); err != nil {
		return err
	}
	if err := g.addVendors(); err != nil {
		return err
	}
	if err := g.checkIdempotency(); err != nil {
		return err
	}
	if err := g.provisionAssertion(); err != nil {
		return err
	}
	if err := app.Register(ctx.GetMetricsRegistry(), authRequests, authDuration); err != nil {
		return err
	}
	if err := refuseUnhandled(ctx); err != nil {
		return err
	}
	instance.Peers().Guards(&g.policy)
	return g.provisionThrottle()
}

// Cleanup gives the throttle back.
func (g *Guard) Cleanup() error { return g.releaseThrottle() }

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if !r.ProtoAtLeast(1, 1) {
		// net/http leaves out Transfer-Encoding in HTTP/1.0 and says nothing of it. What
		// it took for no body must not be read as the next request.
		w.Header().Set("Connection", "close")
	}
	decision := new(guard.Decision)
	switch err := g.authorise(w, r, decision); {
	case err == nil:
	case errors.Is(err, errBodyCutOff):
		return g.answer(w, r, problem.BodyCutOff, decision)
	default:
		return g.answer(w, r, problem.Internal, decision)
	}
	switch decision.Outcome {
	case guard.Allowed:
		return g.forward(w, r, next, decision)
	case guard.Probe:
		w.Header().Set("Cache-Control", "no-store")
		settleBody(w, r)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if decision.Allow != "" {
		w.Header().Set("Allow", decision.Allow)
	}
	if decision.RetryAfter > 0 {
		// Rounded up: who comes back as told must not be too early.
		seconds := (decision.RetryAfter + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	return g.answer(w, r, problemFor(decision.Outcome), decision)
}

var errPanic = errors.New("panic in the guard")

// authorise decides on r, and turns an allowed request into the one to forward. A
// panic on the way is our failure, and lets nothing through.
func (g *Guard) authorise(w http.ResponseWriter, r *http.Request, d *guard.Decision) (err error) {
	defer func() {
		if p := recover(); p != nil {
			// The value may hold parts of the request, so only the stack is logged.
			g.logger.Error("panic while deciding on a request", zap.StackSkip("stack", 1))
			d.Outcome, err = "", errPanic
		}
	}()
	start := g.now()
	client := vars.ClientAddress(r)
	*d = g.policy.Decide(&guard.Request{
		Method:        r.Method,
		Target:        r.RequestURI,
		Tokens:        r.Header[g.TokenHeader],
		Authorization: r.Header["Authorization"],
		Upgrade:       len(r.Header["Upgrade"]) > 0,
		Unframed:      unframed(r),
		Client:        client,
		ContentLength: r.ContentLength,
	}, g.app.Store().Keyring(), start)
	if d.Outcome.Unauthorized() && g.throttle != nil {
		if wait := g.throttle.Fail(client, start); wait > 0 {
			d.Outcome, d.RetryAfter = guard.Throttled, wait
		}
	}
	if d.Template != "" {
		caddyhttp.SetVar(r.Context(), vars.Route, d.Template)
	}
	authDuration.Observe(g.now().Sub(start).Seconds())
	if d.Outcome == guard.Allowed {
		err = g.prepare(w, r, d, client)
		switch {
		case errors.Is(err, errBodyTooLarge):
			d.Outcome = guard.TooLarge
		case err != nil:
			d.Outcome = ""
			return err // it is neither allowed nor refused
		}
	}
	if d.Outcome == guard.Allowed {
		g.app.Store().MarkUsed(d.Credential, start)
	}
	countDecision(d)
	return nil
}

// recheck decides once more on a request that was allowed.
func (g *Guard) recheck(d guard.Decision) guard.Decision {
	return g.policy.Recheck(d, g.app.Store().Keyring(), g.now())
}

// forward passes an allowed request on. What the upstream answers goes back as it
// is; only where there is no answer do we write one.
func (g *Guard) forward(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler, d *guard.Decision) error {
	body := &clientBody{guard: g, decision: d}
	if r.Body != nil && r.Body != http.NoBody {
		body.ReadCloser = g.boundedBody(w, r)
		r.Body = body
	}
	err := next.ServeHTTP(w, r)
	var tooLarge *http.MaxBytesError
	var failure caddyhttp.HandlerError
	switch {
	case err == nil && vars.Unhandled(r):
		// Caddy would answer 200, and the vendor take the event for delivered.
		return g.answerAs(w, r, problem.Internal, d, zap.ErrorLevel, "there is no handler behind the guard")
	case err == nil:
		return nil
	case errors.Is(err, errCredentialEnded):
		refused := g.recheck(*d) // not in place: the body may still be read, and asks d
		countDecision(&refused)
		return g.answer(w, r, problemFor(refused.Outcome), &refused)
	case errors.As(err, &tooLarge):
		refused := *d
		refused.Outcome = guard.TooLarge
		countDecision(&refused)
		return g.answer(w, r, problem.TooLarge, &refused)
	case body.late.Load(): // which cancels the request, as if the client had gone
		return g.answer(w, r, problem.BodyCutOff, d)
	case !errors.As(err, &failure) || failure.StatusCode < 500:
		return err // the client went away, or another handler's own refusal
	case body.cutOff.Load():
		return g.answer(w, r, problem.BodyCutOff, d)
	}
	unanswered := problem.BadGateway
	if failure.StatusCode == http.StatusGatewayTimeout {
		unanswered = problem.Timeout
	}
	return g.answerAs(w, r, unanswered, d, zap.ErrorLevel, "the upstream did not answer", zap.Error(failure.Err))
}

// answer refuses a request.
func (g *Guard) answer(w http.ResponseWriter, r *http.Request, p problem.Problem, d *guard.Decision) error {
	return g.answerAs(w, r, p, d, zap.InfoLevel, "refused")
}

// answerAs writes a problem, and one log line about it, with the same request id.
func (g *Guard) answerAs(w http.ResponseWriter, r *http.Request, p problem.Problem, d *guard.Decision, level zapcore.Level, message string, more ...zap.Field) error {
	// To the end of the queue: in a flood of refusals those who are let through go first.
	runtime.Gosched()
	requestID, err := uuid.NewV7()
	if err != nil {
		return caddyhttp.Error(http.StatusInternalServerError, err)
	}
	fields := []zap.Field{zap.Stringer("request_id", requestID), zap.Int("status", p.Status), zap.String("outcome", string(d.Outcome))}
	if d.Credential != uuid.Nil {
		fields = append(fields, zap.Stringer("credential", d.Credential))
	}
	g.logger.Log(level, message, append(fields, more...)...)
	settleBody(w, r)
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", challenge(d.Kind))
	}
	return p.Write(w, requestID.String())
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Guard)(nil)
	_ caddy.CleanerUpper          = (*Guard)(nil)
	_ caddyhttp.MiddlewareHandler = (*Guard)(nil)
)
