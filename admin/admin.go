package admin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/console"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store"
)

// Config is what the API needs. Store and JWT are required.
type Config struct {
	Store *store.Store
	JWT   JWT
	// PublicURL is where vendors reach the guard, as ParsePublicURL returns it.
	// Without it webhook tokens can be neither minted nor rotated, and the answer to a
	// minted callback credential has no webhookUrlHint.
	PublicURL string
	// Connections is asked before a webhook token is minted; without it none is.
	Connections Connections
	// CheckConnection, where set, tells why a webhook token for a connection of this
	// name could not be used; the answer repeats the text. Nil: any name can.
	CheckConnection func(name string) error
	// AssertedIssuer reports whether iss is that of a guard which vouches to Matcher with
	// JWTs of its own: no such token is an operator's. It is asked for every request, so
	// that guards can be set up after the API. Nil: there is none.
	AssertedIssuer func(issuer string) bool
	// MaxStaleness is the age of the keyring from which the guard decides nothing any
	// more: what the verification of a token is to say. Zero for no bound.
	MaxStaleness time.Duration
	// RateLimit is how often one operator may ask.
	RateLimit RateLimit
	// Now is time.Now where nil. The validity of bearer tokens, the age of the keys that
	// verify them, and the rate limit depend on it.
	Now keyring.Clock
	// Logger receives failures; no token, header or body is ever written to it.
	Logger *slog.Logger
	// Observe is called once per request with the operation id, or "none" where the
	// request reached no operation, and the status that was sent, which is 0 where the
	// connection was cut instead.
	Observe func(operation string, status int)
}

// api is the operations and what they share.
type api struct {
	store       *store.Store
	verifier    *verifier
	limiter     *limiter
	publicURL   string
	connections Connections
	log         *slog.Logger
	huma        huma.API

	refusals        *refusalLog
	maxStaleness    time.Duration
	checkConnection func(name string) error
}

// API is the admin API.
type API struct {
	front
	verifier *verifier
	refusals *refusalLog
}

// Close ends what the API does in the background. Requests that are still running
// may fail with a 503.
func (a *API) Close() {
	a.verifier.close()
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
	verifier, err := newVerifier(config.JWT, config.Now, config.Logger)
	if err != nil {
		return nil, err
	}
	verifier.claims.assertedIssuer = config.AssertedIssuer
	mux := http.NewServeMux()
	a := &api{
		store: config.Store, verifier: verifier, limiter: limiter, publicURL: config.PublicURL,
		connections: config.Connections, log: config.Logger, huma: humago.New(mux, humaConfig()),
		refusals:     newRefusalLog(config.Store, config.Logger, config.Now),
		maxStaleness: config.MaxStaleness, checkConnection: config.CheckConnection,
	}
	a.registerCallbackCredentials()
	a.registerWebhookTokens()
	a.registerCredentials()
	a.registerCredentialChanges()
	a.registerImport()
	a.registerVerify()
	a.registerAudit()
	a.serveRPC(mux, a.mintIDFunctions())
	serveDocument(mux, a.huma.OpenAPI(), config.Logger)
	console.Register(mux)
	return &API{front{mux: mux, log: config.Logger, observe: config.Observe}, verifier, a.refusals}, nil
}

// register adds an operation: who may call it, what it can answer, and the handler,
// which gets the tenant of the caller.
func register[I, O any](a *api, needs Role, op huma.Operation, refusals []Problem, handle func(context.Context, uuid.UUID, *I) (*O, error)) {
	op.Security = []map[string][]string{{bearerAuth: {}}}
	limit := op.MaxBodyBytes
	if limit == 0 {
		limit = maxBody
	}
	op.Middlewares = append(huma.Middlewares{a.authorise(needs), plainQuery, readBody(limit)}, op.Middlewares...)
	op.BodyReadTimeout = -1 // readBody has done it
	if needs == RoleAdmin { // it changes something
		refusals = append(refusals, problemNotReplicated)
	}
	op.Responses = problemResponses(a.huma, refusals)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(withOrigin(ctx, ""), exchangeOf(ctx).operator.tenant, in)
		if err != nil {
			return nil, a.problemOf(ctx, err)
		}
		return out, nil
	})
}

// authorise lets an operation run for operators with the role it needs, and tells
// it their tenant. The body is not read before that.
func (a *api) authorise(needs Role) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		x := exchangeOf(ctx.Context())
		x.operation = ctx.Operation().OperationID
		r, _ := humago.Unwrap(ctx)
		who, refusal := a.verifier.identify(ctx.Context(), r.Header.Values("Authorization"))
		if refusal == nil {
			if refusal = a.admit(who, needs); refusal != nil {
				a.refused(ctx.Context(), who, x.operation, refusal.Code)
			}
		}
		if refusal != nil {
			refusal.write(x)
			return
		}
		x.operator = who
		next(ctx)
	}
}

// admit decides whether a verified operator may go on. What their role refuses counts
// against their rate too.
func (a *api) admit(who operator, needs Role) *detail {
	switch wait := a.limiter.take(who.tenant, who.subject); {
	case wait > 0:
		return refuse(problemTooMany).with("Retry-After", seconds(wait))
	case who.role != RoleAdmin && who.role != needs:
		return refuse(problemRole)
	}
	return nil
}

// refused is told of every request of a verified operator that was not carried out
// for want of a role or of the right tenant, or for asking too often.
func (a *api) refused(ctx context.Context, who operator, operation, code string) {
	id := exchangeOf(ctx).id.String()
	a.log.Debug("an operator was refused", slog.String("request_id", id),
		slog.String("tenant", who.tenant.String()), slog.String("operation", operation), slog.String("code", code))
	a.refusals.note(who, id, operation+" "+code)
}

// retryAfter is how long a client should wait before it asks an unavailable store
// again, in seconds: about as long as a failover of Redis is noticed.
const retryAfter = "2"

var errNoAnswer = errors.New("look up an aggregator connection")

// problemOf turns an error of a handler into what the client may know of it.
func (a *api) problemOf(ctx context.Context, err error) *detail {
	var d *detail
	var replay *store.ReplayError
	switch {
	case errors.As(err, &d):
	case errors.Is(err, store.ErrNotFound):
		d = refuse(problemNotFound)
	case errors.Is(err, store.ErrInactive):
		d = refuse(problemInactive)
	case errors.Is(err, store.ErrGraceOpen):
		d = refuse(problemGraceOpen)
	case errors.Is(err, store.ErrNoGrace):
		d = refuse(problemNoGrace)
	case errors.Is(err, store.ErrClientIDTaken):
		d = refuse(problemClientIDTaken)
	case errors.Is(err, store.ErrKeyReused):
		d = refuse(problemKeyReused)
	case errors.As(err, &replay):
		d = replayed(replay)
	case errors.Is(err, credential.ErrInvalid):
		d = refuse(problemInvalid).at("body", err.Error())
	case errors.Is(err, errMatcherTimeout):
		d = refuse(problemMatcherTimeout).with("Retry-After", retryAfter)
	case errors.Is(err, errMatcherRefuses):
		d = refuse(problemMatcherRefuses)
	case errors.Is(err, errMatcherAnswer):
		d = refuse(problemMatcherAnswer)
	case errors.Is(err, errNoAnswer):
		d = refuse(problemNoAnswer).with("Retry-After", retryAfter)
	case errors.Is(err, store.ErrNotReplicated):
		d = refuse(problemNotReplicated).with("Retry-After", retryAfter)
	case errors.Is(err, store.ErrUnavailable):
		d = refuse(problemUnavailable).with("Retry-After", retryAfter)
	default:
		d = refuse(problemInternal)
	}
	if d.Status >= http.StatusInternalServerError {
		x := exchangeOf(ctx)
		a.log.Error("an operation failed", slog.String("request_id", x.id.String()),
			slog.String("operation", x.operation), slog.String("code", d.Code), slog.Any("error", err))
	}
	return d
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
