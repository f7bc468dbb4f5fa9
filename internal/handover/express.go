package handover

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Express is a server that has each connection before the server of the Listener.
type Express interface {
	// Serve serves a connection, of which early was read before. It returns what it has read
	// and not served, and what is to become of the connection.
	Serve(c *First, early []byte) (rest []byte, fate Fate)
}

// Fate is what is to become of a connection that Express has done with.
type Fate string

// The fates.
const (
	Closed   Fate = "closed"
	Declined Fate = "declined" // the server of the Listener has it
	Passed   Fate = "passed"   // the successor has it
)

// ErrRetired is returned by First.Wait: the connection is to be passed on.
var ErrRetired = errors.New("the listener has retired")

// First is a connection that Express has.
type First struct {
	net.Conn
	listener *Listener
	idle     *idleness // of a predecessor, until the first wait is over

	mu      sync.Mutex
	waiting bool
	woken   bool
	until   time.Time // the end of the wait; zero: there is none
	armed   time.Time // the deadline that the connection has for it
}

// Wait calls read, which waits for the first byte of a request, for so long; 0: for ever.
func (f *First) Wait(patience time.Duration, read func() error) error {
	f.mu.Lock()
	f.until = time.Time{}
	if patience > 0 {
		f.until = time.Now().Add(patience)
	}
	if f.idle != nil {
		f.until, f.idle = f.idle.until, nil
	}
	if f.listener.retired.Load() || f.listener.isClosed() {
		f.mu.Unlock()
		return ErrRetired
	}
	f.waiting = true
	err := f.arm(patience)
	f.mu.Unlock()
	if err == nil {
		err = read()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = false
	if f.woken && err != nil {
		return ErrRetired
	}
	return err
}

// arm sees to it that the wait ends. Setting a deadline costs as much as a small read, and
// one that is a little later will do; mu is held.
func (f *First) arm(patience time.Duration) error {
	slack := min(patience/8, time.Second)
	if late := f.armed.Sub(f.until); !f.until.IsZero() && !f.armed.IsZero() && late >= 0 && late <= slack {
		return nil
	}
	if f.armed = f.until; !f.armed.IsZero() {
		f.armed = f.armed.Add(slack)
	}
	return f.Conn.SetReadDeadline(f.armed)
}

// SetReadDeadline implements net.Conn.
func (f *First) SetReadDeadline(t time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = time.Time{}
	return f.Conn.SetReadDeadline(t)
}

// wake ends a wait.
func (f *First) wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.woken = true
	if f.waiting {
		f.armed = time.Time{}
		f.Conn.SetReadDeadline(LongAgo)
	}
}

// Retired reports whether the connection has no future: an answer then says that it
// closes. With a successor it has one.
func (f *First) Retired() bool { return f.listener.isClosed() && !f.listener.retired.Load() }

func (l *Listener) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// express gives a connection to Express, and reports whether it could.
func (l *Listener) express(x accepted) bool {
	f := &First{Conn: x.conn, listener: l, idle: x.idle}
	l.address.mu.Lock()
	if l.retired.Load() || l.isClosed() {
		l.address.mu.Unlock()
		return false
	}
	l.firsts[f] = true
	l.address.mu.Unlock()
	go f.serve(x.early)
	return true
}

func (f *First) serve(early []byte) {
	l := f.listener
	rest, fate := l.Express.Serve(f, early)
	_ = f.Conn.SetDeadline(time.Time{})
	next := accepted{conn: f.Conn, early: rest, declined: fate == Declined}
	if fate == Passed && len(rest) == 0 && !f.until.IsZero() {
		next.idle = &idleness{until: f.until}
	}
	switch {
	case fate == Closed, f.Retired():
		(&conn{Conn: f.Conn, listener: l}).Close() // which lingers where the client is still sending
	default:
		l.address.deliver(next)
	}
	l.address.mu.Lock()
	delete(l.firsts, f)
	l.leave()
	l.address.mu.Unlock()
}

// leave says so when a retired listener has no more connections; address.mu is held.
func (l *Listener) leave() {
	if len(l.conns)+len(l.firsts) > 0 {
		return
	}
	if l.retired.Load() {
		l.gone.Do(func() { close(l.left) })
	}
	if l.isClosed() {
		l.done.Do(func() { close(l.drained) })
	}
}

// Drain waits until Express has answered what it had begun to serve when the listener was
// closed, or until ctx ends.
func (l *Listener) Drain(ctx context.Context) error {
	select {
	case <-l.drained:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
