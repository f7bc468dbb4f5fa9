package gate

import (
	"net/http"

	"github.com/hookgate/hookgate/internal/spans"
)

// statusWriter remembers the status of an answer for the trace of its request.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// trace begins the trace of a request, and returns what ends it.
func (x *exchange) trace() (end func()) {
	if x.Spans == nil { // it has not begun yet
		x.Spans = x.Tracer.Begin(x.r.Header[spans.HeaderParent])
	}
	if !x.Spans.Recorded() {
		return func() { x.Spans.End("", "", "", "", 0) }
	}
	w := &statusWriter{ResponseWriter: x.w}
	x.w = w
	method := x.r.Method
	return func() {
		d := &x.Decision
		x.Spans.End(method, string(d.Kind), string(d.Outcome), d.Template, w.status)
	}
}
