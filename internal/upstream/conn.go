package upstream

import (
	"bufio"
	"errors"
	"io"
	"math"
	"net"
	"sync"
	"syscall"
	"time"
)

// maxAnswerHeader bounds the header of an answer in bytes.
const maxAnswerHeader = 1 << 20

// conn is a connection on which one request at a time is sent and answered.
type conn struct {
	net.Conn
	raw    syscall.RawConn
	answer *bufio.Reader
	early  []byte // of the answer, read before by ask
	// left is how many bytes may still be read: of the header of an answer it is
	// bounded, of a body not.
	left      int64
	reused    bool
	idleSince time.Time
	armed     time.Time // the deadline, where armFor has set one
	flight    inFlight

	// closed is the result of look, and asking what step works on. They are kept here with
	// these functions: a closure made each time would be garbage each time.
	closed bool
	look   func(fd uintptr)
	asking asking
	step   func(fd uintptr) bool
}

func newConn(c net.Conn) (*conn, error) {
	source, ok := c.(syscall.Conn)
	if !ok {
		_ = c.Close()
		return nil, errors.New("not a connection of the operating system")
	}
	raw, err := source.SyscallConn()
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	made := &conn{Conn: c, raw: raw}
	made.answer = bufio.NewReader(bounded{made})
	made.look = func(fd uintptr) { made.closed = !silent(fd) }
	made.step = func(fd uintptr) bool { return made.asking.step(fd) }
	return made, nil
}

// usable reports whether an idle connection can take a request: the upstream has
// neither closed it nor sent anything unasked for. The standard library's transport
// learns this from a goroutine that reads; asking right before the request leaves less
// time for it to become wrong.
func (c *conn) usable() bool {
	err := c.raw.Control(c.look)
	return err == nil && !c.closed
}

// old reports whether the connection was idle for too long.
func (c *conn) old(now time.Time) bool { return now.Sub(c.idleSince) >= idleTimeout }

var errHeaderTooLarge = errors.New("the header of the upstream's answer is too large")

// bounded reads a connection as far as it may.
type bounded struct{ *conn }

func (b bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errHeaderTooLarge
	}
	p = p[:min(int64(len(p)), b.left)]
	var n int
	var err error
	if len(b.early) > 0 {
		n = copy(p, b.early)
		b.early = b.early[n:]
	} else {
		n, err = b.Conn.Read(p)
	}
	b.left -= int64(n)
	return n, err
}

const unbounded = math.MaxInt64

// slack is how much longer than armFor says a connection may be waited for. Setting a
// deadline costs as much as a small read, and one that is still far enough away will do.
const slack = 200 * time.Millisecond

// armFor bounds what is done on the connection from now on.
func (c *conn) armFor(timeout time.Duration, now time.Time) error {
	if left := c.armed.Sub(now); left >= timeout && left <= timeout+slack {
		return nil
	}
	deadline := now.Add(timeout + slack)
	if err := c.Conn.SetDeadline(deadline); err != nil {
		return err
	}
	c.armed = deadline
	return nil
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	c.armed = time.Time{}
	return c.Conn.SetDeadline(t)
}

// idle are the connections that wait for a request, the one used last at the end: so
// that those too many are left alone until they are old enough to go.
type idle struct {
	mu     sync.Mutex
	conns  []*conn
	sweep  *time.Timer // set while there are any
	closed bool
}

// take returns a connection that can take a request, or nil.
func (i *idle) take(now time.Time) *conn {
	for {
		c := i.pop()
		if c == nil {
			return nil
		}
		if !c.old(now) && c.usable() {
			return c
		}
		_ = c.Close()
	}
}

// youngest returns the connection that was idle last, whatever has become of it, or nil.
func (i *idle) youngest(now time.Time) *conn {
	for {
		c := i.pop()
		if c == nil || !c.old(now) {
			return c
		}
		_ = c.Close()
	}
}

func (i *idle) pop() *conn {
	i.mu.Lock()
	defer i.mu.Unlock()
	last := len(i.conns) - 1
	if last < 0 {
		return nil
	}
	c := i.conns[last]
	i.conns[last] = nil
	i.conns = i.conns[:last]
	return c
}

// put keeps c for a later request, or closes it.
func (i *idle) put(c *conn) {
	c.reused, c.idleSince = true, time.Now()
	i.mu.Lock()
	keep := !i.closed && len(i.conns) < maxIdle
	if keep {
		i.conns = append(i.conns, c)
		if i.sweep == nil {
			i.sweep = time.AfterFunc(idleTimeout, i.closeOld)
		}
	}
	i.mu.Unlock()
	if !keep {
		_ = c.Close()
	}
}

// closeOld closes what has been idle for too long, and comes back while there is more.
func (i *idle) closeOld() {
	i.mu.Lock()
	defer i.mu.Unlock()
	old := 0
	for old < len(i.conns) && time.Since(i.conns[old].idleSince) >= idleTimeout {
		_ = i.conns[old].Close()
		old++
	}
	kept := copy(i.conns, i.conns[old:])
	clear(i.conns[kept:])
	i.conns = i.conns[:kept]
	if i.sweep = nil; kept > 0 && !i.closed {
		i.sweep = time.AfterFunc(max(idleTimeout-time.Since(i.conns[0].idleSince), time.Second), i.closeOld)
	}
}

// close closes them all, and those that are put later.
func (i *idle) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	for _, c := range i.conns {
		_ = c.Close()
	}
	i.conns = nil
	if i.sweep != nil {
		i.sweep.Stop()
	}
}

var _ io.Reader = bounded{}
