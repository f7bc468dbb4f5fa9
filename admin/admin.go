package admin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/admin/connections"
	"github.com/hookgate/hookgate/admin/console"
	"github.com/hookgate/hookgate/admin/mirror"
	"github.com/hookgate/hookgate/admin/signin"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

// Config is what the API needs. Store and JWT are required.
type Config struct {
	Store *store.Store
	JWT   bearer.Config
	// PublicURL is where vendors reach the guard, as ParsePublicURL returns it.
	// Without it webhook tokens can be neither minted nor rotated, and the answer to a
	// minted callback credential has no webhookUrlHint.
	PublicURL string
	// Connections is asked before a webhook token is minted; without it none is.
	Connections connections.Source
	// Mirror, where not nil, is the Matcher that mints, rotates and revokes callback and
	// webhook tokens itself. It is not closed with the API.
	Mirror *mirror.Mirror
	// Guards are what the guards of this process let through, as it is when a request is
	// served: they can be set up after the API. Webhook tokens are minted only where one
	// of them takes them. Nil: there is none.
	Guards func() []*guard.Policy
	// SignIn is where operators sign in to the console; nil: nowhere. Its claims, clock and
	// log are those of the API.
	SignIn *signin.Config
	// RateLimit is how often one operator may ask.
	RateLimit RateLimit
	// Now is time.Now where nil. The validity of bearer tokens, the age of the keys that
	// verify them, the rate limit and what is said of a token depend on it.
	Now keyring.Clock
	// Client returns the address that a request comes from; the zero Addr where it is
	// unknown. Nil: that of the connection.
	Client func(*http.Request) netip.Addr
	// Logger receives failures; no token, header or body is ever written to it.
	Logger *slog.Logger
	// Observe is called once per request with the operation id, or "none" where the
	// request reached no operation, and the status that was sent, which is 0 where the
	// connection was cut instead.
	Observe func(operation string, status int)
}

// admin is the operations and what they share.
type admin struct {
	store       *store.Store
	verifier    *bearer.Verifier
	signIn      *signin.SignIn // nil: there is none
	limiter     *limiter
	publicURL   string
	connections connections.Source
	mirror      *mirror.Mirror // nil: there is none
	log         *slog.Logger
	huma        huma.API

	refusals *refusalLog
	guards   func() []*guard.Policy
	now      keyring.Clock
}

// API is the admin API.
type API struct {
	front
	verifier *bearer.Verifier
	signIn   *signin.SignIn
	refusals *refusalLog
}

// Close ends what the API does in the background. Requests that are still running
// may fail with a 503.
func (a *API) Close() {
	a.verifier.Close()
	if a.signIn != nil {
		a.signIn.Close()
	}
	a.refusals.close()
}

// New returns the admin API. It fails where the configuration is not usable; neither
// the store nor the issuer of bearer tokens need be reachable, nor the store started.
func New(config Config) (*API, error) {
	if config.Store == nil {
		return nil, errors.New("no credential store")
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Guards == nil {
		config.Guards = func() []*guard.Policy { return nil }
	}
	if config.Client == nil {
		config.Client = peerAddress
	}
	if config.Observe == nil {
		config.Observe = func(string, int) {}
	}
	if config.PublicURL != "" {
		if normal, err := ParsePublicURL(config.PublicURL, true); err != nil || normal != config.PublicURL {
			return nil, errors.New("public URL: it has not been through ParsePublicURL")
		}
	}
	limiter, err := newLimiter(config.RateLimit, config.Now)
	if err != nil {
		return nil, err
	}
	refusals, err := newRefusalLog(config.Store, config.Logger, config.Now)
	if err != nil {
		return nil, err
	}
	verifier, err := bearer.NewVerifier(config.JWT, config.Now, config.Logger)
	if err != nil {
		return nil, err
	}
	signIn, err := newSignIn(&config)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	a := &admin{
		store: config.Store, verifier: verifier, signIn: signIn, limiter: limiter, publicURL: config.PublicURL,
		connections: config.Connections, log: config.Logger, huma: humago.New(mux, humaConfig()),
		mirror: config.Mirror, refusals: refusals, guards: config.Guards, now: config.Now,
	}
	a.registerCallbackCredentials()
	a.registerWebhookTokens()
	a.registerCredentials()
	a.registerCredentialChanges()
	a.registerImport()
	a.registerVerify()
	a.registerSchemes()
	a.registerAudit()
	a.registerMe()
	a.serveRPC(mux, a.mintIDFunctions())
	serveDocument(mux, a.huma.OpenAPI(), config.Logger)
	console.Register(mux)
	a.serveSignIn(mux)
	return &API{front{mux: mux, log: config.Logger, observe: config.Observe, client: config.Client}, verifier, signIn, a.refusals}, nil
}

// register adds an operation: who may call it, what it can answer, and the handler,
// which gets the tenant of the caller.
func register[I, O any](a *admin, needs bearer.Right, op huma.Operation, refusals []problem.Problem, handle func(context.Context, uuid.UUID, *I) (*O, error)) {
	op.Security = []map[string][]string{{bearerAuth: {}}}
	limit := op.MaxBodyBytes
	if limit == 0 {
		limit = maxBody
	}
	op.Middlewares = append(huma.Middlewares{a.authorise(needs), plainQuery, readBody(limit)}, op.Middlewares...)
	op.BodyReadTimeout = -1                             // readBody has done it
	if needs == bearer.Mint || needs == bearer.Change { // it changes something
		refusals = append(refusals, problem.NotReplicated)
	}
	op.Responses = problemResponses(a.huma, refusals)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(withOrigin(ctx, ""), exchangeOf(ctx).operator.Tenant, in)
		switch {
		case errors.Is(err, errAnswered):
			return nil, nil
		case err != nil:
			return nil, a.problemOf(ctx, err)
		}
		return out, nil
	})
}

// authorise lets an operation run for operators whose role has the right to it, and tells
// it their tenant. The body is not read before that.
func (a *admin) authorise(needs bearer.Right) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		x := exchangeOf(ctx.Context())
		x.operation = ctx.Operation().OperationID
		r, _ := humago.Unwrap(ctx)
		who, unproved := a.operator(r)
		if unproved != nil {
			refuseBearer(unproved).write(x)
			return
		}
		if refusal := a.admit(who, needs); refusal != nil {
			a.refused(ctx.Context(), who, x.operation, refusal.Code)
			refusal.write(x)
			return
		}
		x.operator, x.authorization = who, r.Header.Get("Authorization")
		next(ctx)
	}
}

// operator returns who asks, in the tenant that they ask about.
func (a *admin) operator(r *http.Request) (bearer.Operator, *bearer.Refusal) {
	who, unproved := a.identify(r)
	if unproved != nil {
		return bearer.Operator{}, unproved
	}
	return who.In(r.Header.Values(api.TenantHeader))
}

// admit decides whether a verified operator may go on. What their role refuses counts
// against their rate too.
func (a *admin) admit(who bearer.Operator, needs bearer.Right) *detail {
	switch wait := a.limiter.take(who); {
	case wait > 0:
		return refuse(problem.TooMany).with("Retry-After", seconds(wait))
	case !who.Role.May(needs):
		return refuse(problem.Role)
	}
	return nil
}

// allow is for what an operation needs beyond the right to it, which only the body tells.
func (a *admin) allow(ctx context.Context, needs bearer.Right) error {
	x := exchangeOf(ctx)
	if x.operator.Role.May(needs) {
		return nil
	}
	a.refused(ctx, x.operator, x.operation, problem.Role.Code)
	return refuse(problem.Role)
}

// refused is told of every request of a verified operator that was not carried out
// for want of a role or of the right tenant, or for asking too often.
func (a *admin) refused(ctx context.Context, who bearer.Operator, operation, code string) {
	x := exchangeOf(ctx)
	x.refused = who.Tenant
	if who.Tenant == uuid.Nil { // they have yet to choose one, and no other's log is theirs
		return
	}
	a.refusals.note(who, x, operation+" "+code)
}

// credentialID is the id of a credential in a path: a dashed UUID and no other form,
// so that every credential has one path.
type credentialID uuid.UUID

// UnmarshalText implements encoding.TextUnmarshaler. The error does not repeat the
// text: somebody may have put a token there.
func (id *credentialID) UnmarshalText(text []byte) error {
	parsed, err := uuid.ParseBytes(text)
	if err != nil || len(text) != 36 {
		return errors.New("not a UUID of 36 characters")
	}
	*id = credentialID(parsed)
	return nil
}
