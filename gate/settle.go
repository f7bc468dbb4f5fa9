package gate

import (
	"io"
	"net/http"
	"time"

	"github.com/hookgate/hookgate/internal/handover"
)

const (
	// settleBytes and settleTime bound what is read of a refused request's body before the
	// answer: what has arrived with the header or right behind it.
	settleBytes = 64 << 10
	settleTime  = 5 * time.Millisecond
)

// settle prepares the connection for an answer to a request whose body nobody has read.
// Left alone, net/http would wait for up to 256 KiB of it before it sends the answer, for
// as long as the client cares to withhold them. So what has already arrived is drained,
// which keeps the connection usable; if that is not all, settle returns false, the answer
// says that the connection closes, and linger has to be called behind it.
func settle(w http.ResponseWriter, r *http.Request, body io.Reader) bool {
	switch {
	case r.ProtoMajor != 1: // streams of HTTP/2 and 3 end without their body
		return true
	case withoutLength(r): // what may follow is read by nobody
	case body == nil || body == http.NoBody || r.ContentLength == 0:
		return true
	default:
		connection := http.NewResponseController(w)
		until := time.Now().Add(settleTime)
		// Where the body has been read net/http reads on, to learn that the client has left. A
		// deadline that ends that read cancels everything that comes on the connection later:
		// one that was not taken back in time leaves nothing to keep.
		if drained(connection, r, body, until) && connection.SetReadDeadline(time.Time{}) == nil && time.Now().Before(until) {
			return true
		}
	}
	w.Header().Set("Connection", "close")
	return false
}

// drained reads what arrives of a body until then, and reports whether that was all of it.
func drained(connection *http.ResponseController, r *http.Request, body io.Reader, until time.Time) bool {
	if r.ContentLength > settleBytes || r.Header.Get("Expect") != "" {
		// Reading would answer "100 Continue", and ask for the body we do not want.
		return false
	}
	if connection.SetReadDeadline(until) != nil {
		return false
	}
	n, err := io.CopyN(io.Discard, body, settleBytes+1)
	return err == io.EOF && n <= settleBytes
}

const (
	// lingerSilence, lingerTime and lingerBytes bound how long a connection that closes
	// still takes a body, where handover does not see to that: without the listener wrapper.
	lingerSilence = 500 * time.Millisecond
	lingerTime    = 5 * time.Second
	lingerBytes   = 4 << 20
	mostLingering = 256 // each of them with all that net/http keeps for a connection
)

var lingering = make(chan struct{}, mostLingering)

// linger makes sure that a client can read the answer that was just written, and then
// closes the connection, though it is still sending: see handover.Linger.
func linger(w http.ResponseWriter, r *http.Request, body io.Reader) {
	if handover.Linger(r.Context()) || body == nil {
		return
	}
	connection := http.NewResponseController(w)
	select {
	case lingering <- struct{}{}:
		defer func() { <-lingering }()
	default:
		_ = connection.SetReadDeadline(time.Now())
		return
	}
	end := time.Now().Add(lingerTime)
	if connection.SetReadDeadline(end) != nil || connection.Flush() != nil {
		return
	}
	buffer := make([]byte, 2<<10)
	for left := lingerBytes; left > 0; {
		until := time.Now().Add(lingerSilence)
		if until.After(end) {
			until = end
		}
		if connection.SetReadDeadline(until) != nil {
			return
		}
		n, err := body.Read(buffer)
		if err != nil {
			return
		}
		left -= n
	}
}

// ServeSettled lets a handler answer without waiting for a body that it does not read.
func ServeSettled(h http.Handler, w http.ResponseWriter, r *http.Request) {
	s := &settling{ResponseWriter: w, r: r, body: r.Body}
	h.ServeHTTP(s, r)
	if s.unread {
		linger(w, r, s.body)
	}
}

// settling answers for a handler that may do so without the request's body.
type settling struct {
	http.ResponseWriter
	r        *http.Request
	body     io.Reader
	answered bool
	unread   bool
}

// WriteHeader implements http.ResponseWriter.
func (s *settling) WriteHeader(status int) {
	if !s.answered && status >= http.StatusOK {
		s.answered = true
		s.unread = !settle(s.ResponseWriter, s.r, s.body)
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
