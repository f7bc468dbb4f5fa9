package lane

import (
	"net/http"
	"time"

	"github.com/hookgate/hookgate/internal/handover"
)

// Lane serves connections until something on them is not plain. It does not change while
// in use.
type Lane struct {
	// Handler serves a plain request, whose body is in memory and must not be kept.
	Handler Handler
	// FirstTimeout is how long a connection may wait for its first request, and IdleTimeout
	// how long for any later one; 0: for ever.
	FirstTimeout, IdleTimeout time.Duration
	// WriteTimeout bounds each write of an answer; 0: nothing does.
	WriteTimeout time.Duration
	// Declined is told of each connection that goes to the server of net/http.
	Declined func()
}

// Handler is what stands behind the lane.
type Handler interface {
	// Takes reports whether it serves requests for a Host and a path.
	Takes(host, path string) bool
	// ServeHTTP serves a request. It panics with http.ErrAbortHandler where the connection is
	// to end without an answer.
	ServeHTTP(w http.ResponseWriter, r *http.Request)
}

// bodyPatience is how long a body may come behind its head. Whoever takes longer is not
// plain: net/http has deadlines for that.
const bodyPatience = 5 * time.Millisecond

// Serve implements handover.Express.
func (l *Lane) Serve(nc *handover.First, early []byte) (rest []byte, fate handover.Fate) {
	c, ok := newConn(l, nc)
	if !ok {
		return early, handover.Declined
	}
	defer c.release()
	c.unread = early
	for patience, blank := l.FirstTimeout, 0; ; {
		for len(c.unread) == 0 {
			if fate, ok := c.await(patience); !ok {
				return nil, fate
			}
			blank = c.skip(blank)
		}
		h, ok := c.next()
		if !ok {
			l.Declined()
			return c.rest(), handover.Declined
		}
		if !c.serve(&h) {
			return nil, handover.Closed
		}
		patience, blank = l.IdleTimeout, 0
		if h.method == http.MethodPost {
			blank = c.skip(mostBlank)
		}
	}
}

// mostBlank is how many bytes of line ends may stand behind a POST: some old clients write
// one there that is no part of the body, and net/http's server takes as many.
const mostBlank = 4

// next returns the head of a request that is at hand in full.
func (c *conn) next() (h head, ok bool) {
	h, v := readHead(c.unread)
	if v != plain || !c.lane.Handler.Takes(h.host, h.path) {
		return h, false
	}
	whole := h.size + max(h.length, 0)
	if len(c.unread) < whole && !c.more(whole) {
		return h, false
	}
	return h, true
}

// serve serves one request, and reports whether the connection goes on.
func (c *conn) serve(h *head) bool {
	whole := h.size + max(h.length, 0)
	r := h.request()
	if h.length > 0 {
		body := new(memory)
		body.Reset(c.unread[h.size:whole])
		r.Body = body
	}
	r.RemoteAddr = c.remote
	w := &writer{conn: c, header: make(http.Header, 8), length: -1, close: h.close}
	if !c.handle(w, r) || w.finish() != nil {
		return false
	}
	c.unread = c.unread[whole:]
	return !w.close
}

// handle calls the handler. It reports whether that came to an end.
func (c *conn) handle(w *writer, r *http.Request) (ended bool) {
	defer func() {
		if !ended {
			_ = recover() // as net/http's server does: one request must not end the process
		}
	}()
	c.lane.Handler.ServeHTTP(w, r)
	return true
}

var _ handover.Express = (*Lane)(nil)
