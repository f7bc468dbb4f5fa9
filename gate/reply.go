package gate

import "net/http"

// reply is the upstream's answer on its way to the client. Where it comes before the end
// of the request's body, the rest of that is thrown away. Left alone, net/http would wait
// for 256 KiB of the rest before it sends the answer, and then reset the connection.
type reply struct {
	http.ResponseWriter
	body     *clientBody
	id       string // of the request
	answered bool
	early    bool
}

// WriteHeader implements http.ResponseWriter.
func (a *reply) WriteHeader(status int) {
	if !a.answered && status >= http.StatusOK {
		a.answered = true
		if a.body.ReadCloser != nil && !a.body.ended.Load() && a.body.exchange.r.ProtoMajor == 1 {
			a.early = true
			a.Header().Set("Connection", "close")
		}
	}
	identify(a.Header(), status, a.id)
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *reply) Write(b []byte) (int, error) {
	if !a.answered {
		a.WriteHeader(http.StatusOK)
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (a *reply) Unwrap() http.ResponseWriter { return a.ResponseWriter }
