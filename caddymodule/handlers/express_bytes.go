package handlers

import (
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/internal/spans"
	"github.com/hookgate/hookgate/internal/upstream"
	"github.com/hookgate/hookgate/internal/wire"
	"github.com/hookgate/hookgate/lane"
	"github.com/hookgate/hookgate/problem"
)

// plainExchange is a request that is decided on, sent on and answered without becoming one
// of net/http, as nearly all are. What takes more does become one, with what has been done
// until then.
type plainExchange struct {
	*site
	gate.Begun
	w     *lane.Answer
	r     *wire.Request
	id    string
	began time.Time
	holds bool // it has taken room for its body

	sender                sender
	request               guard.Request
	token, secret, parent values // what request and trace have of three headers
	forwarding            guard.Forwarding

	header  wire.Header
	message []byte
	answer  wire.Answer
}

var plainExchanges = sync.Pool{New: func() any { return new(plainExchange) }}

// keptMessage is the largest buffer that is kept for the next request.
const keptMessage = 16 << 10

// takesBytes reports whether the way upstream takes a request as bytes.
func (s *site) takesBytes(r *wire.Request) bool {
	return s.proxy.transport.TakesMessages(len(r.Body)) && (s.proxy.Host == hostClient || upstream.UsualHost(s.proxy.to.Host))
}

// serveBytes serves a request that came then. Where the gate is to serve it instead, it reports
// false, and has left nothing behind.
func (s *site) serveBytes(w *lane.Answer, r *wire.Request, then time.Time) (done bool) {
	x := plainExchanges.Get().(*plainExchange)
	x.site, x.w, x.r, x.began = s, w, r, then
	if done = x.decide(); done {
		x.carryOut()
	}
	x.header.Clear()
	*x = plainExchange{header: x.header, message: x.message[:0], answer: wire.Answer{Fields: x.answer.Fields[:0], Body: x.answer.Body[:0]}}
	if cap(x.message) <= keptMessage {
		plainExchanges.Put(x)
	}
	return done
}

// leaveToGate, deferred, ends a panic of what reports false then: the gate, which does the
// same anew, answers for it.
func leaveToGate(ok *bool) {
	if !*ok {
		_ = recover()
	}
}

// decide decides on the request.
func (x *plainExchange) decide() (ok bool) {
	defer leaveToGate(&ok)
	r, g := x.r, x.guard.gate
	x.id, x.sender = requestID(r), x.express.sender(r)
	x.request = guard.Request{
		Method: r.Method, Target: r.Target(), Posts: r.Length >= 0 || r.Get("Content-Type") != "", ContentLength: int64(max(r.Length, 0)),
		RequestID: x.id, Peer: x.sender.peer,
	}
	if len(g.Policy.CertHeaders) > 0 { // of which a certificate is read
		r.HeaderInto(&x.header)
		x.request.Header = x.header.Fields
	}
	x.request.Tokens = x.token.of(r, g.Policy.TokenHeader)
	x.request.Authorization = x.secret.of(r, "Authorization")
	if g.Tracer != nil {
		x.Spans = g.Tracer.Begin(x.parent.of(r, spans.HeaderParent))
	}
	x.At = g.Now()
	x.Decision = g.Policy.Decide(&x.request, g.Keyring, x.At)
	x.Took = g.Now().Sub(x.At)
	return true
}

// values has room for the one value that a header of a plain request has.
type values [1]string

// of returns the values of a header; nil where the request does not have it.
func (v *values) of(r *wire.Request, name string) []string {
	if v[0] = r.Get(name); v[0] == "" {
		return nil
	}
	return v[:]
}

// requestID returns the id of a request, as vars.RequestID does.
func requestID(r *wire.Request) string {
	if r.Get(guard.HeaderRequestID) != "" {
		if id := guard.RequestID(r.Header(), r.Target()); id != "" {
			return id
		}
	}
	return uuid.Must(uuid.NewV7()).String() // the system's random numbers never fail
}

// carryOut does what was decided.
func (x *plainExchange) carryOut() {
	g, d := x.guard.gate, &x.Decision
	defer x.leave()
	if !x.prepare() {
		x.continueDecided()
		return
	}
	if d.Outcome == guard.Allowed {
		if g.ClaimEvent(&x.Begun, x.id); d.Outcome == guard.Replayed {
			x.continueDecided()
			return
		}
	}
	observeDuration(x.Took, x.Spans.TraceID())
	g.Server.Count(d)
	if d.Outcome == guard.Allowed {
		x.forward()
	} else {
		x.refuse()
	}
}

// prepare makes the last checks on the request, and of an allowed one what is forwarded. It
// reports false where that is the gate's to do.
func (x *plainExchange) prepare() (ok bool) {
	defer leaveToGate(&ok)
	g, d := x.guard.gate, &x.Decision
	if !g.Policy.HeadDecides(d) && !x.verify() {
		return false
	}
	if d.Outcome != guard.Allowed {
		return true
	}
	_, err := g.Policy.ForwardingInto(&x.forwarding, d, x.At.Add(x.Took))
	return err == nil
}

// verify makes the checks that take the body, which is at hand. It reports false where they
// are the gate's to make, and has decided nothing then.
func (x *plainExchange) verify() bool {
	policy := &x.guard.gate.Policy
	if !policy.RequestDecides(&x.Decision) {
		return false
	}
	verified, began := x.Decision, x.Spans.Now()
	x.r.HeaderInto(&x.header)
	if policy.Verify(&verified, x.header.Fields, x) != nil {
		return false
	}
	if x.Decision = verified; verified.Proof != "" {
		x.Spans.Proof(began, string(verified.Proof))
	}
	return true
}

// Hold implements guard.Body. All that is at hand counts as held from here on: it stays for as
// long as the upstream takes.
func (x *plainExchange) Hold() ([]byte, error) {
	if !x.holds {
		if err := x.guard.gate.TakeRoom(&x.Begun, int64(len(x.r.Body))); err != nil {
			return nil, err
		}
		x.holds = true
	}
	return x.r.Body, nil
}

// AtHand implements guard.Body.
func (*plainExchange) AtHand() bool { return true }

// leave ends what was begun, as far as it has not been handed over.
func (x *plainExchange) leave() {
	x.guard.gate.GiveRoom(&x.Begun)
	x.Undelivered()
	if x.Spans != nil {
		x.Spans.End(x.r.Method, string(x.Decision.Kind), string(x.Decision.Outcome), x.Decision.Template, x.answer.Status)
	}
}

// handOver returns what was begun, which is for another to end.
func (x *plainExchange) handOver() gate.Begun {
	begun := x.Begun
	x.Begun = gate.Begun{Decision: x.Decision}
	return begun
}

// continueDecided has the gate do what takes a request of net/http.
func (x *plainExchange) continueDecided() {
	x.serve(x.w, x.r, x.id, x.began, func(w http.ResponseWriter, r *http.Request, next gate.Handler) error {
		return x.guard.gate.ServeDecided(w, r, x.handOver(), next)
	})
}

// refuse answers a request that is refused.
func (x *plainExchange) refuse() {
	a, g, d := &x.answer, x.guard.gate, &x.Decision
	set := func(name, value string) { a.Fields = append(a.Fields, wire.Field{Name: name, Value: value}) }
	p := gate.Refusal(d, set)
	g.TellRefused(p.Status, d, x.id, x.sender.peer.Client)
	set("Server", serverName[0])
	for name, value := range problem.Header(x.id) {
		set(name, value)
	}
	a.Status, a.Body = p.Status, p.AppendDocument(a.Body, x.id)
	x.send(a)
}

// forward sends an allowed request on, and the answer to the client.
func (x *plainExchange) forward() {
	g, d := x.guard.gate, &x.Decision
	x.guard.app.Store().MarkUsed(d.Credential, x.At)
	x.appendMessage()
	asked, err := x.proxy.transport.Ask(x.message)
	if err != nil {
		x.continueForwarded(func(http.ResponseWriter, *http.Request) error { return failure(err) })
		return
	}
	answer := asked.Whole()
	if answer == nil || !g.Passes(d, answer.Status) {
		x.continueForwarded(func(w http.ResponseWriter, r *http.Request) error {
			answer, err := asked.Receive(r, interimTo(w))
			if err != nil {
				return failure(err)
			}
			defer answer.Body.Close()
			return x.proxy.answer(w, answer)
		})
		return
	}
	g.Server.Answered(d, answer.Status)
	x.Answered(answer.Status)
	x.Upstream.End(answer.Status)
	answer.Fields = append(slices.DeleteFunc(answer.Fields, func(f wire.Field) bool { return f.Name == guard.HeaderRequestID }),
		wire.Field{Name: guard.HeaderRequestID, Value: x.id})
	x.answer.Status = answer.Status
	x.send(answer)
	asked.End()
}

// send sends an answer to the client, and writes its line of the access log.
func (x *plainExchange) send(a *wire.Answer) {
	_ = x.w.Whole(a)
	if x.express.log.config != nil {
		x.log(a)
	}
}

// continueForwarded has the gate do what is left, with the answer that next gives.
func (x *plainExchange) continueForwarded(next func(http.ResponseWriter, *http.Request) error) {
	x.serve(x.w, x.r, x.id, x.began, func(w http.ResponseWriter, r *http.Request, _ gate.Handler) error {
		_, _ = io.Copy(io.Discard, r.Body) // which was sent, and is read for the access log
		noteRoute(r, &x.Decision)
		forwarding := x.forwarding // which r may outlive
		noteAllowed(r, &x.Decision, &forwarding)
		return x.guard.gate.ServeForwarded(w, r, x.handOver(), &forwarding, answered(next))
	})
}

// answered is what is behind a gate when the answer is there.
type answered func(http.ResponseWriter, *http.Request) error

// ServeHTTP implements gate.Handler.
func (a answered) ServeHTTP(w http.ResponseWriter, r *http.Request) error {
	w.Header().Del("Server") // the upstream's own stands alone
	return a(w, r)
}
