package gate

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hookgate/hookgate/guard"
)

// peekTime is how long an answer is held to see whose fault it tells of. The body of an
// error comes right behind its header; one that does not is waited for by the client, and
// not by us.
const peekTime = time.Second

// answering is the writer of an allowed request's answer. It lets the answer through to
// the byte, or keeps it back for another to take its place.
type answering struct {
	http.ResponseWriter
	exchange *exchange
	before   http.Header // of the answer, before anybody behind the gate added to it

	// A body that does not come is let go by a timer.
	mu      sync.Mutex
	timer   *time.Timer
	added   http.Header    // what is added while the header may be sent by the timer
	status  int            // 0 until the upstream has answered
	code    string         // Matcher's, where it was looked for
	peeking bool           // the body is held
	held    []byte         // of the body
	instead *translation   // nil: the answer passes
	success *guard.Success // what the vendor gets in its place; nil: the answer passes
}

// Header implements http.ResponseWriter.
func (a *answering) Header() http.Header {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.added != nil {
		return a.added
	}
	return a.ResponseWriter.Header()
}

// WriteHeader implements http.ResponseWriter.
func (a *answering) WriteHeader(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writeHeader(status)
}

func (a *answering) writeHeader(status int) {
	switch {
	case a.status != 0:
		return
	case status < http.StatusOK:
		a.ResponseWriter.WriteHeader(status)
		return
	}
	a.status = status
	x := a.exchange
	x.Server.Answered(&x.Decision, status)
	x.Answered(status)
	if status < http.StatusMultipleChoices {
		if a.success = x.Decision.Success(); a.success != nil {
			return
		}
	}
	a.instead, a.peeking = byStatus(status, a.ResponseWriter.Header(), x.Policy.Asserter != nil)
	switch {
	case a.peeking:
		a.added = a.ResponseWriter.Header().Clone()
		a.timer = time.AfterFunc(peekTime, a.giveUp)
	case a.instead == nil:
		a.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (a *answering) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.status == 0 {
		a.writeHeader(http.StatusOK)
	}
	switch {
	case a.instead != nil || a.success != nil:
		return len(b), nil
	case !a.peeking:
		return a.ResponseWriter.Write(b)
	case len(a.held)+len(b) <= maxPeek:
		a.held = append(a.held, b...)
		return len(b), nil
	}
	if err := a.release(); err != nil {
		return 0, err
	}
	return a.ResponseWriter.Write(b)
}

// release lets go what was held.
func (a *answering) release() error {
	a.peeking = false
	a.ResponseWriter.WriteHeader(a.status)
	held := a.held
	if a.held = nil; len(held) == 0 {
		return nil
	}
	_, err := a.ResponseWriter.Write(held)
	return err
}

// giveUp lets go what has come until now.
func (a *answering) giveUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.peeking {
		return
	}
	if a.release() == nil {
		_ = http.NewResponseController(a.ResponseWriter).Flush() // the upstream's next byte finds out
	}
}

// finish judges an answer that is held to its end. Nothing is left to be done where
// instead is nil.
func (a *answering) finish() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.peeking {
		a.code = codeIn(decoded(a.held, a.ResponseWriter.Header().Get("Content-Encoding")))
		if a.instead = byBody(a.status, a.code); a.instead == nil {
			return a.release()
		}
		a.peeking = false
		return nil
	}
	for name, values := range a.added { // trailers that were not announced
		if strings.HasPrefix(name, http.TrailerPrefix) {
			a.ResponseWriter.Header()[name] = values
		}
	}
	return nil
}

// end makes sure that nothing is written when the handler has ended, by a panic too.
func (a *answering) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.peeking, a.added = false, nil
	if a.timer != nil {
		a.timer.Stop()
	}
}

// answered returns the status that the upstream sent; 0 for none.
func (a *answering) answered() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.status
}

// FlushError serves http.ResponseController. What is kept back is not sent.
func (a *answering) FlushError() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.peeking || a.instead != nil || a.success != nil {
		return nil
	}
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Unwrap serves http.ResponseController.
func (a *answering) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// discard takes back what those behind the gate put into the header, for an answer that goes
// out in the place of theirs.
func (a *answering) discard() http.Header {
	header := a.exchange.w.Header()
	clear(header)
	maps.Copy(header, a.before)
	return header
}

// through hands an allowed request over, and returns the answer that came of it.
func (x *exchange) through(next Handler, w http.ResponseWriter) (*answering, error) {
	a := &answering{ResponseWriter: w, exchange: x, before: maps.Clone(w.Header())}
	defer a.end()
	if x.Upstream == nil { // it has not been asked yet
		started, told := x.Spans.Upstream()
		x.Upstream = started
		told.Apply(x.r.Header)
	}
	defer func() { x.Upstream.End(a.answered()) }()
	err := next.ServeHTTP(a, x.r)
	if err == nil {
		err = a.finish()
	}
	return a, err
}
