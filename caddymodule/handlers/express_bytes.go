package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/caddymodule/vars"
	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/guard"
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
	w  *lane.Answer
	r  *wire.Request
	id string

	request       guard.Request
	token, secret [1]string // the values that request has of two headers
	decision      guard.Decision
	at            time.Time // when the decision was begun
	took          time.Duration
	forwarding    *guard.Forwarding

	message []byte
	answer  wire.Answer
}

var plainExchanges = sync.Pool{New: func() any { return new(plainExchange) }}

// keptMessage is the largest buffer that is kept for the next request.
const keptMessage = 16 << 10

// takesBytes reports whether nothing about a request but the request itself calls for the
// other way: a proxy in front whose word counts, an access log, a trace, another way upstream.
func (s *site) takesBytes(r *wire.Request) bool {
	e := s.express
	return s.guard.gate.Tracer == nil && r.Client.Addr.IsValid() && !e.trusts(r.Client.Addr) && e.log.config == nil && s.proxy.transport.TakesMessages(len(r.Body)) &&
		(s.proxy.Host == hostClient || upstream.UsualHost(s.proxy.to.Host))
}

// serveBytes serves a request. It reports false where that is to be done the other way, and
// it has left nothing behind.
func (s *site) serveBytes(w *lane.Answer, r *wire.Request) (done bool) {
	x := plainExchanges.Get().(*plainExchange)
	x.site, x.w, x.r = s, w, r
	if done = x.decide(); done {
		x.carryOut()
	}
	*x = plainExchange{message: x.message[:0], answer: wire.Answer{Fields: x.answer.Fields[:0], Body: x.answer.Body[:0]}}
	if cap(x.message) <= keptMessage {
		plainExchanges.Put(x)
	}
	return done
}

// decide decides on the request. A panic is the gate's to answer.
func (x *plainExchange) decide() (ok bool) {
	defer func() {
		if !ok {
			_ = recover()
		}
	}()
	r, g := x.r, x.guard.gate
	x.id = requestID(r)
	x.request = guard.Request{
		Method: r.Method, Target: r.Target(), Posts: r.Length >= 0 || r.Get("Content-Type") != "", ContentLength: int64(max(r.Length, 0)),
		RequestID: x.id, Peer: guard.Peer{Client: r.Client.Addr.Unmap(), Named: x.express.server.ClientIPHeaders},
	}
	if x.token[0] = r.Get(g.Policy.TokenHeader); x.token[0] != "" {
		x.request.Tokens = x.token[:]
	}
	if x.secret[0] = r.Get("Authorization"); x.secret[0] != "" {
		x.request.Authorization = x.secret[:]
	}
	x.at = g.Now()
	x.decision = g.Policy.Decide(&x.request, g.Keyring, x.at)
	x.took = g.Now().Sub(x.at)
	return true
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
	g, d := x.guard.gate, &x.decision
	if !g.Policy.HeadDecides(d) && !x.verify() {
		x.continueDecided()
		return
	}
	if d.Outcome == guard.Allowed {
		var err error
		if x.forwarding, err = g.Policy.Forwarding(d, x.at.Add(x.took)); err != nil {
			x.continueDecided() // and come to the same
			return
		}
	}
	observeDuration(x.took, "") // there is no trace
	g.Server.Count(d)
	if d.Outcome == guard.Allowed {
		x.forward()
	} else {
		x.refuse()
	}
}

// verify makes the checks that take the body, which is at hand. It reports false where they
// are the gate's to make, and has decided nothing then.
func (x *plainExchange) verify() bool {
	policy := &x.guard.gate.Policy
	if !policy.RequestDecides(&x.decision) {
		return false
	}
	verified := x.decision
	if policy.Verify(&verified, x.r.Header(), held(x.r.Body)) != nil {
		return false
	}
	x.decision = verified
	return true
}

// held is a body that is in memory.
type held []byte

// Hold implements guard.Body.
func (h held) Hold() ([]byte, error) { return h, nil }

// continueDecided has the gate do what takes a request of net/http.
func (x *plainExchange) continueDecided() {
	x.serve(x.w, x.r, x.id, func(w http.ResponseWriter, r *http.Request, next gate.Handler) error {
		return x.guard.gate.ServeDecided(w, r, &x.decision, x.at, x.took, next)
	})
}

// refuse answers a request that is refused.
func (x *plainExchange) refuse() {
	a, g, d := &x.answer, x.guard.gate, &x.decision
	set := func(name, value string) { a.Fields = append(a.Fields, wire.Field{Name: name, Value: value}) }
	p := gate.Refusal(d, set)
	g.TellRefused(p.Status, d, x.id, x.request.Client)
	set("Server", serverName[0])
	for name, value := range problem.Header(x.id) {
		set(name, value)
	}
	a.Status, a.Body = p.Status, p.AppendDocument(a.Body, x.id)
	_ = x.w.Whole(a)
}

// forward sends an allowed request on, and the answer to the client.
func (x *plainExchange) forward() {
	g, d := x.guard.gate, &x.decision
	x.guard.app.Store().MarkUsed(d.Credential, x.at)
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
	answer.Fields = append(slices.DeleteFunc(answer.Fields, func(f wire.Field) bool { return f.Name == guard.HeaderRequestID }),
		wire.Field{Name: guard.HeaderRequestID, Value: x.id})
	_ = x.w.Whole(answer)
	asked.End()
}

// continueForwarded has the gate do what is left, with the answer that next gives.
func (x *plainExchange) continueForwarded(next func(http.ResponseWriter, *http.Request) error) {
	x.serve(x.w, x.r, x.id, func(w http.ResponseWriter, r *http.Request, _ gate.Handler) error {
		vars.SetForwarding(r, x.forwarding)
		return x.guard.gate.ServeForwarded(w, r, &x.decision, x.forwarding, answered(next))
	})
}

// answered is what is behind a gate when the answer is there.
type answered func(http.ResponseWriter, *http.Request) error

// ServeHTTP implements gate.Handler.
func (a answered) ServeHTTP(w http.ResponseWriter, r *http.Request) error {
	w.Header().Del("Server") // the upstream's own stands alone
	return a(w, r)
}

// appendMessage writes the request as the upstream is to see it: what the gate and the proxy
// make of one of net/http.
func (x *plainExchange) appendMessage() {
	r, f := x.r, x.forwarding
	target := url.URL{Path: f.Path, RawPath: f.RawPath, RawQuery: r.Query}
	if f.NewQuery {
		target.RawQuery = f.Query
	}
	host := r.Host
	if x.proxy.Host == hostUpstream {
		host = x.proxy.to.Host
	}
	out := append(append(append(append(x.message[:0], r.Method...), ' '), target.RequestURI()...), " HTTP/1.1\r\n"...)
	out = wire.AppendField(out, "Host", host)
	for _, field := range r.Fields {
		switch name := field.Name; {
		case name == "Content-Length", name == "X-Forwarded-For", name == "X-Forwarded-Host", name == "X-Forwarded-Proto":
		case f.Sets(name), f.Drops(name):
		case name == "Accept-Encoding":
			out = wire.AppendField(out, name, gate.Readable(field.Value))
		default:
			out = wire.AppendPlain(out, name, field.Value)
		}
	}
	for name, value := range f.Fields {
		out = wire.AppendField(out, name, value)
	}
	out = wire.AppendPlain(out, "X-Forwarded-For", r.Client.Text)
	out = wire.AppendPlain(out, "X-Forwarded-Host", r.Host)
	out = wire.AppendPlain(out, "X-Forwarded-Proto", "http")
	if len(r.Body) > 0 || r.Method != http.MethodGet && r.Method != http.MethodDelete {
		out = append(strconv.AppendInt(append(out, "Content-Length: "...), int64(len(r.Body)), 10), "\r\n"...)
	}
	x.message = append(append(out, "\r\n"...), r.Body...)
}
