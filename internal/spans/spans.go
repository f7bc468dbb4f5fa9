// Package spans makes the trace of a request: what its spans are called, how they hang
// together, and the few attributes that they have. No attribute is made of what a client
// sent: a URL holds a token, and so may any header.
package spans

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Tracer makes the traces of a guard. A nil one makes none.
type Tracer struct{ tracer trace.Tracer }

// New returns a Tracer whose spans go to a provider.
func New(provider trace.TracerProvider) *Tracer {
	return &Tracer{provider.Tracer("github.com/hookgate/hookgate")}
}

// Request is the trace of one request. Of a nil one nothing is recorded.
type Request struct {
	tracer    trace.Tracer
	ctx       context.Context // of the span guard
	guard     trace.Span
	recorded  bool // by the sampler's decision
	continued bool // it is a part of the vendor's trace
}

var (
	propagator = propagation.TraceContext{}
	asServer   = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}
	asClient   = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient)}
)

// Names of the headers that tell of a trace.
const (
	HeaderParent = "Traceparent"
	HeaderState  = "Tracestate"
)

// parent is a carrier of the one header that says which trace a request belongs to. What a
// vendor has in tracestate goes on to the upstream, and into no span.
type parent string

// Get implements propagation.TextMapCarrier.
func (p *parent) Get(name string) string {
	if strings.EqualFold(name, HeaderParent) {
		return string(*p)
	}
	return ""
}

// Set implements propagation.TextMapCarrier.
func (p *parent) Set(name, value string) {
	if strings.EqualFold(name, HeaderParent) {
		*p = parent(value)
	}
}

// Keys implements propagation.TextMapCarrier.
func (*parent) Keys() []string { return []string{HeaderParent} }

// Begin starts the span of the guard, in the trace that the Traceparent of a request names. A
// new trace begins where there is none, several (W3C Trace Context, section 3.2), or one that
// is not valid.
func (t *Tracer) Begin(traceparent []string) *Request {
	if t == nil {
		return nil
	}
	ctx := context.Background()
	if len(traceparent) == 1 {
		p := parent(traceparent[0])
		ctx = propagator.Extract(ctx, &p)
	}
	r := &Request{tracer: t.tracer, continued: trace.SpanContextFromContext(ctx).IsValid()}
	r.ctx, r.guard = t.tracer.Start(ctx, "guard", asServer...)
	r.recorded = r.guard.IsRecording()
	return r
}

// Recorded reports whether somebody will see the trace.
func (r *Request) Recorded() bool { return r != nil && r.recorded }

// TraceID returns the id of a trace that somebody will see, and "" otherwise.
func (r *Request) TraceID() string {
	if !r.Recorded() {
		return ""
	}
	return r.guard.SpanContext().TraceID().String()
}

// Now is when a step begins; it is read only where the step is recorded.
func (r *Request) Now() time.Time {
	if !r.Recorded() {
		return time.Time{}
	}
	return time.Now()
}

// Proof records that a proof was checked, with its result.
func (r *Request) Proof(began time.Time, result string) { r.step("proof", began, result) }

// Replay records that an event was looked for among those delivered.
func (r *Request) Replay(began time.Time, result string) { r.step("replay", began, result) }

func (r *Request) step(name string, began time.Time, result string) {
	if !r.Recorded() {
		return
	}
	_, span := r.tracer.Start(r.ctx, name, trace.WithTimestamp(began))
	span.SetAttributes(attribute.String("hookgate.result", result))
	span.End()
}

// Told is what the upstream is told of a trace.
type Told struct {
	// Parent is the Traceparent of the request that goes there; "": what the vendor wrote
	// passes.
	Parent string
	// DropState: a Tracestate of the vendor's does not pass. It tells of a trace that the
	// vendor did not name.
	DropState bool
}

// Apply changes a header to what the upstream is told.
func (t Told) Apply(header http.Header) {
	if t.DropState {
		delete(header, HeaderState)
	}
	if t.Parent != "" {
		header[HeaderParent] = []string{t.Parent}
	}
}

// Upstream starts the span of the upstream.
func (r *Request) Upstream() (*Upstream, Told) {
	if r == nil {
		return nil, Told{}
	}
	var started *Upstream
	ctx := r.ctx
	if r.recorded {
		var span trace.Span
		ctx, span = r.tracer.Start(ctx, "upstream", asClient...)
		started = &Upstream{span}
	}
	var p parent
	propagator.Inject(ctx, &p)
	return started, Told{Parent: string(p), DropState: !r.continued}
}

// Upstream is the span of a request to the upstream. A nil one is not recorded.
type Upstream struct{ span trace.Span }

// End ends the span, with the status that the upstream sent; 0 for none.
func (u *Upstream) End(status int) {
	if u == nil {
		return
	}
	if status != 0 {
		u.span.SetAttributes(attribute.Int("http.response.status_code", status))
	}
	if status == 0 || status >= http.StatusInternalServerError {
		u.span.SetStatus(codes.Error, "")
	}
	u.span.End()
}

// End ends the span of the guard. The route is a template of the configuration, the status
// that of the answer to the client.
func (r *Request) End(method, kind, outcome, route string, status int) {
	if r == nil {
		return
	}
	if r.recorded {
		attributes := make([]attribute.KeyValue, 0, 5)
		for _, a := range [...]struct{ name, value string }{
			{"http.request.method", known(method)}, {"hookgate.kind", kind}, {"hookgate.outcome", outcome}, {"http.route", route},
		} {
			if a.value != "" {
				attributes = append(attributes, attribute.String(a.name, a.value))
			}
		}
		if status != 0 {
			attributes = append(attributes, attribute.Int("http.response.status_code", status))
		}
		r.guard.SetAttributes(attributes...)
		if status == 0 || status >= http.StatusInternalServerError {
			r.guard.SetStatus(codes.Error, "")
		}
	}
	r.guard.End()
}

// known returns a method of HTTP's, for a client can write anything in its place.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "_OTHER"
}
