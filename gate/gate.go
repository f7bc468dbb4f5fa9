// Package gate carries the guard's decision out on a request of net/http: it hands an
// allowed one over as the upstream is to see it, and answers everything else itself.
package gate

import (
	"errors"
	"io"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/internal/spans"
	"github.com/hookgate/hookgate/problem"
)

// Gate is the guard in front of one handler. It does not change while in use.
type Gate struct {
	Policy  guard.Policy
	Keyring guard.Keyring
	Server  Server
	// Room is for the bodies that are held; nil: there is no bound.
	Room *Room
	// Replays remembers what vendors delivered; nil: nothing does.
	Replays Replays
	// Tracer makes a trace of every request; nil: of none.
	Tracer *spans.Tracer
	Logger *zap.Logger
	Now    func() time.Time
}

// Server is what a Gate stands in: it tells what only it knows of a request, and is told
// what became of it.
type Server interface {
	// Peer returns who sent r.
	Peer(r *http.Request) guard.Peer
	// RequestID returns the id of r, which is [guard.RequestID] or a new one. It is the same
	// whenever it is asked for.
	RequestID(r *http.Request) string
	// Decided is told of every decision, with the time that it took, and the trace of the
	// request where one is recorded.
	Decided(r *http.Request, d *guard.Decision, took time.Duration, traceID string)
	// Count counts an outcome.
	Count(d *guard.Decision)
	// Allowed is told of a request that is about to be handed over.
	Allowed(r *http.Request, d *guard.Decision, f *guard.Forwarding, at time.Time)
	// Answered is told of the answer to an allowed request: its status as the upstream
	// sent it, 0 where it sent none.
	Answered(d *guard.Decision, status int)
	// Translated is told what the client got in place of an upstream's answer.
	Translated(d *guard.Decision, p problem.Problem)
	// Unanswered reports whether r came to the end of all handlers without an answer.
	Unanswered(r *http.Request) bool
	// Failure returns the status that an error of the handler stands for, and its cause; 0
	// where it stands for none.
	Failure(err error) (status int, cause error)
}

// Handler is what stands behind the gate. An error means that it has not answered.
type Handler interface {
	ServeHTTP(w http.ResponseWriter, r *http.Request) error
}

// Begun is what has been done about a request.
type Begun struct {
	Decision guard.Decision
	At       time.Time // when the decision was begun
	Took     time.Duration

	Claim Claim // of its event; nil: there is none, or what became of it is told
	Seen  Seen

	Spans    *spans.Request
	Upstream *spans.Upstream // of the request that is on its way there

	room int64 // of Room, that its body takes
}

// exchange is one request on its way through the gate.
type exchange struct {
	*Gate
	Begun
	w       http.ResponseWriter
	r       *http.Request
	id      string // of the request, in every log and every header
	peer    guard.Peer
	chunked bool          // the body is in chunks of HTTP/1.1
	raw     io.ReadCloser // the body as the server gave it
	body    clientBody    // the same on its way to the upstream
	reply   reply
	decided bool // it has been, before it came here
}

// Serve decides on r, and hands it over to next or answers it.
func (g *Gate) Serve(w http.ResponseWriter, r *http.Request, next Handler) error {
	return g.begin(w, r).serve(next)
}

// ServeDecided is Serve for a request that was decided on before it became one of net/http.
func (g *Gate) ServeDecided(w http.ResponseWriter, r *http.Request, b Begun, next Handler) error {
	x := g.begin(w, r)
	x.Begun, x.decided = b, true
	return x.serve(next)
}

// ServeForwarded does what is left to be done about an allowed request that was forwarded:
// next says what came of it.
func (g *Gate) ServeForwarded(w http.ResponseWriter, r *http.Request, b Begun, f *guard.Forwarding, next Handler) error {
	r.Body = nil // it was sent
	x := g.begin(w, r)
	x.Begun, x.peer = b, g.Server.Peer(r)
	if x.Tracer != nil {
		defer x.trace()()
	}
	defer x.GiveRoom(&x.Begun)
	defer x.Undelivered()
	rewrite(r, f)
	return x.forward(next)
}

func (g *Gate) begin(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{Gate: g, w: w, r: r, raw: r.Body, chunked: r.ProtoMajor == 1 && r.ContentLength < 0}
	x.id = g.Server.RequestID(r)
	return x
}

func (x *exchange) serve(next Handler) error {
	w := x.w
	if !x.r.ProtoAtLeast(1, 1) {
		// net/http leaves out Transfer-Encoding in HTTP/1.0 and says nothing of it. What
		// it took for no body must not be read as the next request.
		w.Header().Set("Connection", "close")
	}
	if x.Tracer != nil {
		defer x.trace()()
		w = x.w
	}
	defer x.GiveRoom(&x.Begun)
	defer x.Undelivered()
	if err := x.authorise(); err != nil {
		return x.fail(err, "")
	}
	switch x.Decision.Outcome {
	case guard.Allowed:
		return x.forward(next)
	case guard.Replayed:
		if !x.Seen.Running {
			return x.duplicate()
		}
	case guard.Probe:
		if x.Decision.Answer != nil {
			return x.handshake()
		}
		w.Header().Set("Cache-Control", "no-store")
		identify(w.Header(), http.StatusNoContent, x.id)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return x.refuse(&x.Decision)
}

var (
	errPanic    = errors.New("panic in the guard")
	errNoAnswer = errors.New("the handler behind the guard wrote no answer")
)

// authorise decides on the request, and turns an allowed one into the one to forward. A
// panic on the way is our failure, and lets nothing through.
func (x *exchange) authorise() (err error) {
	defer func() {
		if p := recover(); p != nil {
			// The value may hold parts of the request, so only the stack is logged.
			x.Logger.Error("panic while deciding on a request", zap.String("request_id", x.id), zap.StackSkip("stack", 1))
			err = errPanic
		}
	}()
	x.peer = x.Server.Peer(x.r)
	if !x.decided {
		x.decide()
	}
	d := &x.Decision
	x.Server.Decided(x.r, d, x.Took, x.Spans.TraceID())
	if err := x.Policy.Handshake(d, x.r.Header, x); err != nil {
		return err
	}
	if d.Outcome == guard.Allowed {
		if err := x.prepare(x.At); err != nil {
			return err // it is neither allowed nor refused
		}
	}
	x.Server.Count(d)
	return nil
}

func (x *exchange) decide() {
	bodyUnframed := unframed(x.w, x.r) // which may wait, and what is known of the credential must be of afterwards
	x.At = x.Now()
	x.Decision = x.Policy.Decide(&guard.Request{
		Method:        x.r.Method,
		Target:        x.r.RequestURI,
		Tokens:        x.r.Header[x.Policy.TokenHeader],
		Authorization: x.r.Header["Authorization"],
		Posts:         posts(x.r),
		Unframed:      bodyUnframed,
		ContentLength: x.r.ContentLength,
		Header:        x.r.Header,
		RequestID:     x.id,
		Peer:          x.peer,
	}, x.Keyring, x.At)
	x.Took = x.Now().Sub(x.At)
}

// prepare makes the last checks on an allowed request, which take its body, and
// turns it into what the upstream is to see. The path is the one the decision was
// made on, built anew from its validated parts.
func (x *exchange) prepare(start time.Time) error {
	d := &x.Decision
	began := x.Spans.Now()
	err := x.Policy.Verify(d, x.r.Header, x)
	if d.Proof != "" {
		x.Spans.Proof(began, string(d.Proof))
	}
	if err != nil || d.Outcome != guard.Allowed {
		return err
	}
	// The body may have taken its time, and the credential ended meanwhile.
	if x.holdsBody() {
		if x.Policy.Recheck(d, x.Keyring, x.Now()); d.Outcome != guard.Allowed {
			return nil
		}
	}
	if d.Proof == guard.Unenforced {
		x.Logger.Warn("a proof fails, and is not enforced", zap.String("request_id", x.id), zap.String("proof", string(d.Reason)),
			zap.String("vendor", d.Vendor), zap.Stringer("credential", d.Credential))
	}
	f, err := x.Policy.Forwarding(d, x.Now())
	if err != nil {
		x.Logger.Error("cannot forward", zap.String("request_id", x.id), zap.Stringer("credential", d.Credential), zap.Error(err))
		return err
	}
	if d.Outcome != guard.Allowed {
		return nil
	}
	if x.ClaimEvent(&x.Begun, x.id); d.Outcome != guard.Allowed {
		return nil
	}
	rewrite(x.r, f)
	x.Server.Allowed(x.r, d, f, start)
	return nil
}

// forward passes an allowed request on. What the upstream answers goes back as it
// is; only where there is no answer do we write one.
func (x *exchange) forward(next Handler) error {
	defer x.outlive()()
	body := &x.body
	// Of a request without a body Caddy wraps what net/http says is none.
	if x.r.Body != nil && x.r.ContentLength != 0 && !x.holdsBody() {
		body.ReadCloser, body.exchange = x.boundedBody(), x
		x.r.Body = body
	}
	x.reply.ResponseWriter, x.reply.body, x.reply.id = WithoutInterim(x.w, x.r), body, x.id
	answer, err := x.through(next, &x.reply)
	if err == nil {
		switch {
		case answer.instead != nil:
			return x.translate(answer)
		case answer.success != nil:
			return x.succeed(answer)
		}
		if x.reply.early {
			linger(x.w, x.r, x.raw)
		}
		switch {
		case x.Server.Unanswered(x.r):
			return x.unanswered()
		case answer.status == 0:
			// Caddy's proxy has nothing to say to an upstream that switches protocols, and a
			// server would say 200.
			return x.upstreamFailed(http.StatusBadGateway, errNoAnswer)
		}
		return nil
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, errCredentialEnded):
		return x.refuseLate(body.refused.Load())
	case errors.Is(err, errIdentityChanged):
		return x.fail(errIdentityChanged, guard.Allowed)
	case errors.As(err, &tooLarge):
		return x.refuseLate(x.Decision.Refused(guard.TooLarge))
	case body.unframed.Load():
		return x.refuseLate(x.Decision.Refused(guard.Ambiguous))
	case body.late.Load(): // which cancels the request, as if the client had gone
		return x.fail(errBodyCutOff, guard.Allowed)
	}
	if body.cutOff.Load() { // by a client that may still read
		return x.fail(errBodyCutOff, guard.Allowed)
	}
	status, cause := x.Server.Failure(err)
	if status < http.StatusInternalServerError {
		return err // the client went away, or another handler's own refusal
	}
	return x.upstreamFailed(status, cause)
}
