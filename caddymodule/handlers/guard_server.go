package handlers

import (
	"errors"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/caddymodule/vars"
	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/internal/upstream"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

// server is Caddy, as a gate sees it.
type server struct{ store *store.Store }

// Peer implements gate.Server.
func (server) Peer(r *http.Request) guard.Peer { return vars.Peer(r) }

// RequestID implements gate.Server.
func (server) RequestID(r *http.Request) string { return vars.RequestID(r) }

// Decided implements gate.Server.
func (server) Decided(r *http.Request, d *guard.Decision, took time.Duration, traceID string) {
	noteRoute(r, d)
	observeDuration(took, traceID)
}

// noteRoute notes the route of a request, for the logs.
func noteRoute(r *http.Request, d *guard.Decision) {
	if d.Template != "" {
		caddyhttp.SetVar(r.Context(), vars.Route, d.Template)
	}
}

// Count implements gate.Server.
func (s server) Count(d *guard.Decision) {
	countDecision(d.Kind, d.PathVendor(), d.Outcome)
	if d.Credential != uuid.Nil && d.Outcome.NamesCredential() {
		s.store.MarkRefused(d.Credential, string(d.Outcome), d.Client(), time.Now())
	}
	if d.Proof == "" {
		return
	}
	countProof(d.Vendor, d.Proof)
	result := d.Proof
	if result == guard.Unenforced {
		result = d.Reason
	}
	s.store.MarkProof(d.Credential, string(result), time.Now())
}

// Allowed implements gate.Server.
func (s server) Allowed(r *http.Request, d *guard.Decision, f *guard.Forwarding, at time.Time) {
	s.store.MarkUsed(d.Credential, at)
	noteAllowed(r, d, f)
}

// noteAllowed notes who a request comes from, for those behind the guard and the access log.
func noteAllowed(r *http.Request, d *guard.Decision, f *guard.Forwarding) {
	vars.SetForwarding(r, f)
	user := d.Credential.String()
	caddyhttp.SetVar(r.Context(), userVar, user)
	if repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		repl.Set("http.auth.user.id", user) // user_id in Caddy's access log
	}
}

// userVar is the request variable for what replaces the user in the access log.
const userVar = "hookgate.credential"

// Answered implements gate.Server.
func (server) Answered(d *guard.Decision, status int) { countAnswer(d.Kind, status) }

// Translated implements gate.Server.
func (server) Translated(d *guard.Decision, p problem.Problem) {
	upstreamTranslations.WithLabelValues(string(d.Kind), p.Code).Inc()
}

// Unanswered implements gate.Server.
func (server) Unanswered(r *http.Request) bool { return vars.Unhandled(r) }

// Failure implements gate.Server.
func (server) Failure(err error) (status int, cause error) {
	var failure caddyhttp.HandlerError
	if !errors.As(err, &failure) {
		return 0, nil
	}
	// Caddy's reverse_proxy says in its own way that it could not connect, or, with 503, that
	// none of its upstreams is there to connect to.
	var dial reverseproxy.DialError
	if errors.As(failure.Err, &dial) || failure.StatusCode == http.StatusServiceUnavailable {
		return failure.StatusCode, &upstream.Unsent{Err: failure.Err}
	}
	return failure.StatusCode, failure.Err
}

var _ gate.Server = server{}
