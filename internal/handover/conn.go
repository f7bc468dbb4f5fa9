package handover

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"slices"
	"sync"
	"time"
)

// phase is how far the server is with a connection. Only one that waits for the first
// byte of a request, and holds none, can be passed on: anything else would cut a
// request in two.
type phase int

const (
	unknown  phase = iota // the server has not shown itself: there is another layer between
	fresh                 // nothing has been read
	busy                  // a request is read or served
	answered              // the server has called the connection idle
	waiting               // and has set the deadline for the next request
)

// readBuffer is the size of net/http's buffer. A read of fewer bytes says that some of
// the next request are in there already.
const readBuffer = 4096

// conn is a connection of a Listener.
type conn struct {
	net.Conn
	listener *Listener

	mu     sync.Mutex
	phase  phase
	early  []byte // what a predecessor has read
	parked bool   // in a read for the first byte of a request
	woken  bool   // out of that, to be passed on
	passed bool
	// lingers: the server reads no more, and when it closes the connection we end it.
	lingers, closed bool

	idle   *idleness     // set while it waits for a request that is not its first
	header time.Duration // what the server allows for the header of that, if it is inherited; zero: any time
}

// idleness is the wait of a connection for its next request.
type idleness struct {
	until time.Time // the server's patience ends; zero: never
}

// ConnState has to be called by the server, as its http.Server.ConnState: which
// connections are idle is for the server to say.
func ConnState(nc net.Conn, state http.ConnState) {
	if state == http.StateActive || state == http.StateClosed {
		return
	}
	c := ours(nc)
	switch {
	case c == nil:
	case state == http.StateNew:
		c.enter(unknown, fresh)
	case state == http.StateIdle:
		c.enter(busy, answered)
	case state == http.StateHijacked:
		c.leave()
	}
}

// ours returns our connection, also from under the one type that is known to pass reads
// on as they are: Caddy's, where HTTP/2 is not wanted, which looks for its preface.
// Another one may hold back bytes that a successor would miss.
func ours(nc net.Conn) *conn {
	if c, ok := nc.(*conn); ok {
		return c
	}
	if t := reflect.Indirect(reflect.ValueOf(nc)).Type(); t.Name() != "http2Conn" || t.PkgPath() != "github.com/caddyserver/caddy/v2/modules/caddyhttp" {
		return nil
	}
	c, _ := embedded[net.Conn](nc, "Conn").(*conn)
	return c
}

func (c *conn) enter(from, to phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == from {
		c.phase = to
	}
}

// leave makes the connection one that is never passed on.
func (c *conn) leave() {
	c.enter(busy, unknown)
	c.listener.remove(c)
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	if c.passed {
		c.mu.Unlock()
		return 0, io.EOF
	}
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		c.phase = busy
		c.mu.Unlock()
		return n, nil
	}
	if c.phase == unknown {
		c.mu.Unlock()
		c.listener.remove(c)
		return c.Conn.Read(p)
	}
	if c.phase != fresh && (c.phase != waiting || len(p) != readBuffer) {
		c.phase = busy
		c.mu.Unlock()
		return c.Conn.Read(p)
	}
	if c.listener.retired.Load() {
		c.passed = true
		c.mu.Unlock()
		c.pass(nil)
		return 0, io.EOF
	}
	c.parked = true
	c.mu.Unlock()
	n, err := c.Conn.Read(p)
	return c.unpark(p[:n], err)
}

// unpark ends a read for the first byte of a request.
func (c *conn) unpark(got []byte, err error) (int, error) {
	c.mu.Lock()
	c.parked = false
	if c.woken && (len(got) > 0 || errors.Is(err, os.ErrDeadlineExceeded)) {
		c.passed = true
		c.mu.Unlock()
		c.pass(slices.Clone(got))
		return 0, io.EOF
	}
	if len(got) > 0 {
		if c.inherited() {
			var deadline time.Time
			if c.header > 0 {
				deadline = time.Now().Add(c.header)
			}
			c.Conn.SetReadDeadline(deadline)
		}
		c.phase, c.idle = busy, nil
	}
	c.mu.Unlock()
	if string(got[:min(len(got), 3)]) == "PRI" {
		// HTTP/2 has a farewell of its own.
		c.leave()
	}
	return len(got), err
}

// inherited reports whether the connection was passed on while it waited for a request.
func (c *conn) inherited() bool { return c.phase == fresh && c.idle != nil }

// pass gives the connection to the successor.
func (c *conn) pass(early []byte) {
	c.Conn.SetDeadline(time.Time{})
	c.listener.remove(c)
	next := accepted{conn: c.Conn, early: early}
	if len(early) == 0 {
		next.idle = c.idle
	}
	c.listener.address.deliver(next)
}

// wake ends a read for the first byte of a request. A request that comes at this very
// moment is passed on with the connection.
func (c *conn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.parked {
		c.woken = true
		c.Conn.SetReadDeadline(LongAgo)
	}
}

// SetReadDeadline implements net.Conn. A server sets one when it begins to wait for a
// request, and another when that has begun: what it reads after that may continue a
// request that was in its buffer before.
//
// A connection that was passed on is a new one to the successor, which allows it the
// time of a header until it has one. It has that from the first byte on, and until then
// the rest of the time that it may be idle: cut off earlier, a client would lose what it
// sends at that moment.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.passed {
		return net.ErrClosed
	}
	switch {
	case c.lingers:
		t = LongAgo // nothing makes the server wait for what is thrown away
	case c.phase == answered:
		c.phase, c.idle = waiting, &idleness{until: t}
	case c.phase == waiting:
		c.phase = busy
	case c.inherited():
		if c.header = 0; !t.IsZero() {
			c.header = max(time.Until(t), 1)
		}
		t = c.idle.until
	}
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if c.isPassed() {
		return net.ErrClosed
	}
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	if c.isPassed() {
		return 0, net.ErrClosed
	}
	if count := c.listener.HeaderTooLarge; count != nil && string(p) == headerTooLarge {
		count()
	}
	return c.Conn.Write(p)
}

// headerTooLarge is net/http's own answer to a header over the limit, as it writes it. An
// upstream's 431 has other fields.
const headerTooLarge = "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" +
	"431 Request Header Fields Too Large"

// CloseWrite ends our side of the connection: net/http does so to let a client read
// an answer that came before the end of its request.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && !c.isPassed() {
		return half.CloseWrite()
	}
	return nil
}

// Close implements net.Conn. What was passed on is no longer the server's to close. Where
// the client is still sending it lingers also without having been told to: net/http itself
// answers a header that is too large, or none.
func (c *conn) Close() error {
	if c.isPassed() {
		return nil
	}
	c.listener.remove(c)
	c.mu.Lock()
	first, lingers := !c.closed, c.lingers
	c.closed = true
	c.mu.Unlock()
	if first && (lingers || waits(c.Conn)) {
		return c.linger()
	}
	return c.Conn.Close()
}

func (c *conn) isPassed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.passed
}

func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }
