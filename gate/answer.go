package gate

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"runtime"
	"strconv"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/internal/upstream"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/proof"
)

// problemFor returns the answer to a refused request. Every refused credential
// gets the same one.
func problemFor(o guard.Outcome) problem.Problem {
	switch o {
	case guard.Ambiguous:
		return problem.Ambiguous
	case guard.NoRoute:
		return problem.NoRoute
	case guard.Method:
		return problem.Method
	case guard.TooLarge:
		return problem.TooLarge
	case guard.SourceIP, guard.Scope, guard.BadSignature, guard.WrongTenant:
		return problem.Forbidden
	case guard.Throttled:
		return problem.Throttled
	case guard.Stale:
		return problem.Unavailable
	case guard.Replayed:
		return problem.UpstreamBusy
	default:
		return problem.Refused
	}
}

// challenge returns what a 401 on a path for this kind of credential asks for. It
// depends on the path alone: the body is the same everywhere.
func challenge(kind credential.Kind) string {
	if kind == credential.KindAPI {
		return `Basic realm="hookgate", charset="UTF-8"`
	}
	return `Token realm="hookgate"`
}

// Refusal returns the answer to a request that the guard refused, and calls set with the
// headers that it has beyond those of every problem.
func Refusal(d *guard.Decision, set func(name, value string)) problem.Problem {
	if d.Allow != "" {
		set("Allow", d.Allow)
	}
	if d.RetryAfter > 0 {
		// Rounded up: who comes back as told must not be too early.
		seconds := (d.RetryAfter + time.Second - 1) / time.Second
		set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	p := problemFor(d.Outcome)
	if d.Outcome == guard.BadSignature && d.Refuse != 0 {
		// Some vendors take an address for theirs only where a wrong proof has this status.
		p.Status, p.Title = d.Refuse, http.StatusText(d.Refuse)
	}
	if d.Redirected {
		p = p.Because("The path takes a GET without a body, as a probe. With one it is a POST that was redirected: post to the final URL, or redirect with 308.")
	}
	if p.Status == http.StatusUnauthorized {
		set("Www-Authenticate", challenge(d.Kind))
	}
	return p
}

// refuse answers a request that the guard refused.
func (x *exchange) refuse(d *guard.Decision) error {
	return x.answer(Refusal(d, x.w.Header().Set), d, d.Outcome, zap.InfoLevel, refused)
}

// refused is the message of the log line about a refusal.
const refused = "refused"

// refuseLate answers a request that was allowed until its body arrived. It leaves
// x.Decision alone, for the body may still be read.
func (x *exchange) refuseLate(d *guard.Decision) error {
	d.Proof = "" // it is counted
	x.Server.Count(d)
	return x.refuse(d)
}

// fail answers a request that is not refused: its body did not come, its credential was
// renamed meanwhile, or the failure is ours.
func (x *exchange) fail(err error, outcome guard.Outcome) error {
	p := problem.Internal
	switch {
	case errors.Is(err, errBodyCutOff):
		p = problem.BodyCutOff
	case errors.Is(err, errIdentityChanged):
		p = problem.Unavailable
		x.w.Header().Set("Retry-After", "1")
	case errors.Is(err, errNoRoom):
		p = problem.NoRoom
		x.w.Header().Set("Retry-After", "1")
	}
	return x.answer(p, &x.Decision, outcome, zap.InfoLevel, refused)
}

// unanswered answers an allowed request that nobody behind the gate took. A server would
// say 200, and the vendor take the event for delivered.
func (x *exchange) unanswered() error {
	return x.answer(problem.Internal, &x.Decision, guard.Allowed, zap.ErrorLevel, "there is no handler behind the guard")
}

// upstreamFailed answers an allowed request to which the upstream gave no answer.
func (x *exchange) upstreamFailed(status int, cause error) error {
	x.Server.Answered(&x.Decision, 0)
	return x.answer(UpstreamProblem(status, cause), &x.Decision, guard.Allowed, zap.ErrorLevel, "the upstream did not answer", zap.Error(cause))
}

// UpstreamProblem returns what a client is told of a request that could not be forwarded,
// which for a proxy is a status and its cause: above all whether it can be sent again.
func UpstreamProblem(status int, cause error) problem.Problem {
	switch {
	case upstream.NotSent(cause):
		return problem.BadGateway
	case status == http.StatusGatewayTimeout:
		return problem.Timeout
	}
	return problem.BrokenOff
}

// noRoute is the route in the log where none matched.
const noRoute = "-"

// answer writes a problem, and one log line about it.
func (x *exchange) answer(p problem.Problem, d *guard.Decision, outcome guard.Outcome, level zapcore.Level, message string, more ...zap.Field) error {
	x.Undelivered() // before the answer, behind which the vendor may send it again
	x.tell(p.Status, d, outcome, x.id, x.peer.Client, level, message, more...)
	return write(x.w, x.r, x.raw, p, x.id)
}

// TellRefused logs a refusal, as it does for the requests that it answers itself.
func (g *Gate) TellRefused(status int, d *guard.Decision, id string, client netip.Addr) {
	g.tell(status, d, d.Outcome, id, client, zap.InfoLevel, refused)
}

// tell writes the log line about an answer of ours.
func (g *Gate) tell(status int, d *guard.Decision, outcome guard.Outcome, id string, client netip.Addr, level zapcore.Level, message string, more ...zap.Field) {
	// To the end of the queue: in a flood of refusals those who are let through go first.
	runtime.Gosched()
	entry := g.Logger.Check(level, message)
	if entry == nil {
		return
	}
	line := &told{id, status, outcome, cmp.Or(d.Template, noRoute), client, d.Credential, d.Reason, d.Vendor}
	entry.Write(append([]zap.Field{zap.Inline(line)}, more...)...)
}

// told is what the log is told of an answer of ours. In a flood of refusals a field for each
// of its parts was two fifths of the garbage.
type told struct {
	id         string
	status     int
	outcome    guard.Outcome
	route      string
	client     netip.Addr
	credential uuid.UUID
	reason     proof.Result
	vendor     string
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (t *told) MarshalLogObject(line zapcore.ObjectEncoder) error {
	line.AddString("request_id", t.id)
	line.AddInt64("status", int64(t.status))
	line.AddString("outcome", string(t.outcome))
	line.AddString("route", t.route)
	if t.client.IsValid() {
		line.AddString("client_ip", t.client.String())
	}
	if t.credential != uuid.Nil {
		line.AddString("credential", t.credential.String())
	}
	if t.reason != "" {
		line.AddString("proof", string(t.reason))
		line.AddString("vendor", t.vendor)
	}
	return nil
}

// Refuse answers r with a problem, without waiting for a body that nobody has read.
func Refuse(w http.ResponseWriter, r *http.Request, p problem.Problem, requestID string) error {
	return write(w, r, r.Body, p, requestID)
}

func write(w http.ResponseWriter, r *http.Request, body io.Reader, p problem.Problem, requestID string) error {
	settled := settle(w, r, body)
	err := p.Write(w, requestID)
	if !settled {
		linger(w, r, body)
	}
	return err
}
