package gate

import (
	"io"
	"net/http"
	"time"
)

const (
	// settleBytes and settleTime bound what is read of a refused request's body.
	settleBytes = 64 << 10
	settleTime  = 20 * time.Millisecond
	// lingerTime is how long a connection that is to close still takes a body.
	lingerTime = 500 * time.Millisecond
)

// SettleBody prepares the connection for an answer to a request whose body nobody
// has read. Left alone, net/http would wait for up to 256 KiB of it before it sends
// the answer, for as long as the client cares to withhold them. So what has already
// arrived is drained, which keeps the connection usable; if that is not all, the
// connection closes after the answer.
func SettleBody(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor != 1 || r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return // streams of HTTP/2 and 3 end without their body
	}
	connection := http.NewResponseController(w)
	until := time.Now().Add(settleTime)
	// Where the body has been read net/http reads on, to learn that the client has left. A
	// deadline that ends that read cancels everything that comes on the connection later:
	// one that was not taken back in time leaves nothing to keep.
	if drained(connection, r, until) && connection.SetReadDeadline(time.Time{}) == nil && time.Now().Before(until) {
		return
	}
	w.Header().Set("Connection", "close")
	// After the answer net/http still reads on, so that a client in the middle of
	// sending gets the answer and not a reset connection; without a deadline, one
	// that sends nothing would hold the connection.
	_ = connection.SetReadDeadline(time.Now().Add(lingerTime))
}

// ServeSettled lets a handler answer without waiting for a body that it does not read.
func ServeSettled(h http.Handler, w http.ResponseWriter, r *http.Request) {
	h.ServeHTTP(&settling{ResponseWriter: w, r: r}, r)
}

// settling answers for a handler that may do so without the request's body.
type settling struct {
	http.ResponseWriter
	r        *http.Request
	answered bool
}

// WriteHeader implements http.ResponseWriter.
func (s *settling) WriteHeader(status int) {
	if !s.answered && status >= http.StatusOK {
		s.answered = true
		SettleBody(s.ResponseWriter, s.r)
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (s *settling) Write(b []byte) (int, error) {
	if !s.answered {
		s.WriteHeader(http.StatusOK)
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (s *settling) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// drained reads what arrives of a body until then, and reports whether that was all of it.
func drained(connection *http.ResponseController, r *http.Request, until time.Time) bool {
	if r.ContentLength > settleBytes || r.Header.Get("Expect") != "" {
		// Reading would answer "100 Continue", and ask for the body we do not want.
		return false
	}
	if connection.SetReadDeadline(until) != nil {
		return false
	}
	n, err := io.CopyN(io.Discard, r.Body, settleBytes+1)
	return err == io.EOF && n <= settleBytes
}
