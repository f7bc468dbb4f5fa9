package handover

import (
	"context"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
)

// Listener is one server's share of an address. The first listener of an address
// serves at once, a later one when it takes over.
type Listener struct {
	net.Listener
	// HeaderTooLarge, where set, is called for each request that net/http answers with 431
	// by itself, before anybody else sees it. Set it before the first Accept.
	HeaderTooLarge func()
	// Express, where set, has each connection first. Set it before the first Accept.
	Express Express

	address  *address
	accepted chan accepted
	closed   chan struct{}
	retired  atomic.Bool

	conns  map[*conn]bool  // guarded by address.mu; those that can be passed on
	firsts map[*First]bool // guarded by address.mu; those that Express has
	left   chan struct{}   // closed when a retired listener has no more of either
	gone   sync.Once       // closes left
	// drained is closed when a closed listener has none that Express has.
	drained chan struct{}
	done    sync.Once // closes drained
}

// accepted is a connection from a socket or from a retired listener, or the error of an
// Accept.
type accepted struct {
	conn  net.Conn
	early []byte // read from conn, and not served
	idle  *idleness
	// declined: Express has seen it already.
	declined bool
	err      error
}

// address is what listeners hand over to each other.
type address struct {
	name string

	mu        sync.Mutex
	listeners []*Listener   // open, oldest first
	serving   *Listener     // nil: the last one has been closed
	changed   chan struct{} // closed when serving changes
	shared    net.Listener  // the socket that outlives each listener; nil: there is none
}

var (
	addressesMu sync.Mutex
	addresses   = make(map[string]*address)
)

// Wrap returns the listener through which a server on ln hands over. Where the kernel
// does not let the socket be shared, new connections can still be lost; the error says
// why.
func Wrap(ln net.Listener) (*Listener, error) {
	addressesMu.Lock()
	defer addressesMu.Unlock()
	name := ln.Addr().Network() + " " + ln.Addr().String()
	a, known := addresses[name]
	if !known {
		a = &address{name: name, changed: make(chan struct{})}
		addresses[name] = a
	}
	l := &Listener{
		Listener: ln, address: a,
		accepted: make(chan accepted), closed: make(chan struct{}),
		conns: make(map[*conn]bool), firsts: make(map[*First]bool), left: make(chan struct{}), drained: make(chan struct{}),
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.listeners = append(a.listeners, l)
	if a.serving == nil {
		a.serve(l)
	}
	var err error
	if !known {
		// Before anybody accepts: while os.File.Fd is used the socket blocks, and whoever then
		// accepts waits in the kernel, where closing the listener does not end it.
		if a.shared, err = share(ln); a.shared != nil {
			go a.accept(a.shared)
		}
	}
	go a.accept(ln)
	return l, err
}

// serve makes l the listener that gets new connections; a.mu is held.
func (a *address) serve(l *Listener) {
	a.serving = l
	close(a.changed)
	a.changed = make(chan struct{})
}

// accept delivers what comes in at a socket until that is closed.
func (a *address) accept(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if isClosed(err) {
			return
		}
		// Errors go to the server as well: it logs them, and waits before it takes the
		// next.
		a.deliver(accepted{conn: c, err: err})
	}
}

// deliver hands something to the listener that serves, whoever that is when it takes it.
func (a *address) deliver(x accepted) {
	for {
		a.mu.Lock()
		serving, changed := a.serving, a.changed
		a.mu.Unlock()
		if serving == nil {
			if x.conn != nil {
				x.conn.Close()
			}
			return
		}
		select {
		case serving.accepted <- x:
			return
		case <-changed:
		}
	}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		select {
		case <-l.closed:
			return nil, net.ErrClosed
		case x := <-l.accepted:
			if x.err != nil {
				return nil, x.err
			}
			if l.Express != nil && !x.declined {
				if !l.express(x) {
					go l.address.deliver(x)
				}
				continue
			}
			c := &conn{Conn: x.conn, listener: l, early: x.early, idle: x.idle}
			if l.add(c) {
				return c, nil
			}
			go l.address.deliver(x)
		}
	}
}

// add takes note of a connection, unless it came too late for this listener.
func (l *Listener) add(c *conn) bool {
	l.address.mu.Lock()
	defer l.address.mu.Unlock()
	if l.retired.Load() || !slices.Contains(l.address.listeners, l) {
		return false
	}
	l.conns[c] = true
	return true
}

// remove forgets a connection that is closed, passed on, or not to be passed on.
func (l *Listener) remove(c *conn) {
	l.address.mu.Lock()
	defer l.address.mu.Unlock()
	if !l.conns[c] {
		return
	}
	delete(l.conns, c)
	l.leave()
}

// TakeOver makes l the listener of its address that gets new connections.
func (l *Listener) TakeOver() {
	l.address.mu.Lock()
	defer l.address.mu.Unlock()
	if l.address.serving != l {
		l.address.serve(l)
	}
}

// Retire passes the connections of l on to its successor, busy ones as soon as their
// request is answered, and returns when there are none left or ctx ends. Without a
// successor it does nothing. The server must not be shut down before.
func (l *Listener) Retire(ctx context.Context) {
	a := l.address
	a.mu.Lock()
	if a.serving == l || a.serving == nil || l.retired.Swap(true) {
		a.mu.Unlock()
		return
	}
	l.leave()
	conns, firsts := slices.Collect(maps.Keys(l.conns)), slices.Collect(maps.Keys(l.firsts))
	a.mu.Unlock()
	for _, c := range conns {
		c.wake()
	}
	for _, f := range firsts {
		f.wake()
	}
	select {
	case <-l.left:
	case <-ctx.Done():
	}
}

// Close implements net.Listener. The socket of the address is closed with its last
// listener.
func (l *Listener) Close() error {
	addressesMu.Lock()
	defer addressesMu.Unlock()
	a := l.address
	a.mu.Lock()
	defer a.mu.Unlock()
	at := slices.Index(a.listeners, l)
	if at < 0 {
		return net.ErrClosed
	}
	a.listeners = slices.Delete(a.listeners, at, at+1)
	close(l.closed)
	l.leave()
	for f := range l.firsts {
		f.wake()
	}
	switch last := len(a.listeners) - 1; {
	case last < 0:
		a.serve(nil)
		delete(addresses, a.name)
		if a.shared != nil {
			a.shared.Close()
		}
	case a.serving == l:
		a.serve(a.listeners[last])
	}
	return l.Listener.Close()
}
