package lane

import (
	"net/http"
	"time"

	"github.com/hookgate/hookgate/internal/handover"
	"github.com/hookgate/hookgate/internal/wire"
)

// Lane serves connections until something on them is not plain. It does not change while
// in use.
type Lane struct {
	// Handler serves plain requests, whose bodies are in memory.
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
	// Site returns what serves requests for a Host and a path; nil: nothing here does.
	Site(host, path string) Site
}

// Site serves requests.
type Site interface {
	// Serve serves a request, nothing of which may be kept. It panics with
	// http.ErrAbortHandler where the connection is to end without an answer.
	Serve(a *Answer, r *wire.Request)
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
		site := c.next()
		if site == nil {
			l.Declined()
			return c.rest(), handover.Declined
		}
		if !c.serve(site) {
			return nil, handover.Closed
		}
		patience, blank = l.IdleTimeout, 0
		if c.request.Method == http.MethodPost {
			blank = c.skip(mostBlank)
		}
	}
}

// mostBlank is how many bytes of line ends may stand behind a POST: some old clients write
// one there that is no part of the body, and net/http's server takes as many.
const mostBlank = 4

// next reads a request that is at hand in full, and returns what is to serve it.
func (c *conn) next() Site {
	c.take()
	r := &c.request
	if r.read(c.unread) != plain {
		return nil
	}
	site := c.lane.Handler.Site(r.Host, r.Path)
	if site == nil {
		return nil
	}
	whole := r.size + max(r.Length, 0)
	if len(c.unread) < whole && !c.more(whole) {
		return nil
	}
	r.Body, r.Client = c.unread[r.size:whole], c.client
	return site
}

// serve serves one request, and reports whether the connection goes on.
func (c *conn) serve(site Site) bool {
	r := &c.request
	a := &c.answer
	*a = Answer{conn: c, length: -1, close: r.Close}
	if !handle(site, a, &r.Request) || a.finish() != nil {
		return false
	}
	c.unread = c.unread[r.size+max(r.Length, 0):]
	return !a.close
}

// handle calls the site. It reports whether that came to an end.
func handle(site Site, a *Answer, r *wire.Request) (ended bool) {
	defer func() {
		if !ended {
			_ = recover() // as net/http's server does: one request must not end the process
		}
	}()
	site.Serve(a, r)
	return true
}

var _ handover.Express = (*Lane)(nil)
