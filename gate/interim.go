package gate

import "net/http"

// WithoutInterim returns w for an answer to r. Over HTTP/1.0 there are no interim answers
// (RFC 9110, section 15.2): a client takes the first one for the answer.
func WithoutInterim(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	if r.ProtoAtLeast(1, 1) {
		return w
	}
	return finalOnly{w}
}

type finalOnly struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (f finalOnly) WriteHeader(status int) {
	if status >= http.StatusOK {
		f.ResponseWriter.WriteHeader(status)
	}
}

// Unwrap serves http.ResponseController.
func (f finalOnly) Unwrap() http.ResponseWriter { return f.ResponseWriter }
