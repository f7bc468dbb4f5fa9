package lane

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/hookgate/hookgate/internal/handover"
	"github.com/hookgate/hookgate/internal/wire"
)

// bufferSize is enough for a head and a usual body.
const bufferSize = 16 << 10

// desk is what a connection needs while it has a request.
type desk struct {
	buffer  [bufferSize]byte
	request head
	answer  Answer
}

var desks = sync.Pool{New: func() any {
	d := new(desk)
	d.request.Fields = make([]wire.Field, 0, maxFields)
	return d
}}

// conn is a connection in the lane. While it waits for a request it holds no desk, for most
// connections do nothing else.
type conn struct {
	*handover.First
	lane   *Lane
	client wire.Client
	raw    syscall.RawConn

	*desk         // nil while it waits
	unread []byte // a part of its buffer, or of something larger

	// Kept here with the functions that set them: a closure made for each read would be
	// garbage each time.
	read, put func(fd uintptr) bool
	out       []byte // what put writes
	n         int
	err       error
}

func newConn(l *Lane, nc *handover.First) (*conn, bool) {
	source, ok := nc.Conn.(syscall.Conn)
	if !ok {
		return nil, false
	}
	raw, err := source.SyscallConn()
	if err != nil {
		return nil, false
	}
	c := &conn{First: nc, lane: l, raw: raw, client: wire.ClientAt(nc.RemoteAddr().String())}
	c.read = func(fd uintptr) bool {
		c.take()
		c.n, c.err = again(syscall.Read, fd, c.buffer[:])
		if c.err == syscall.EAGAIN {
			c.release()
			return false
		}
		return true
	}
	c.put = func(fd uintptr) bool {
		c.n, c.err = again(syscall.Write, fd, c.out)
		return true
	}
	return c, true
}

// again makes a system call until no signal interrupts it.
func again(call func(int, []byte) (int, error), fd uintptr, b []byte) (n int, err error) {
	for {
		if n, err = call(int(fd), b); err != syscall.EINTR {
			return n, err
		}
	}
}

// take makes sure that there is a desk.
func (c *conn) take() {
	if c.desk == nil {
		c.desk = desks.Get().(*desk)
	}
}

// release gives the desk back.
func (c *conn) release() {
	if c.desk != nil {
		desks.Put(c.desk)
		c.desk = nil
	}
}

// rest returns a copy of what was read and not served.
func (c *conn) rest() []byte { return bytes.Clone(c.unread) }

// await waits for the first bytes of a request. ok is false where none come, or the
// connection is to be passed on.
func (c *conn) await(patience time.Duration) (fate handover.Fate, ok bool) {
	err := c.Wait(patience, func() error {
		c.n, c.err = 0, nil
		if err := c.raw.Read(c.read); err != nil {
			return err
		}
		return c.err
	})
	if c.n > 0 && err == nil {
		c.unread = c.buffer[:c.n]
		return "", true
	}
	if errors.Is(err, handover.ErrRetired) {
		return handover.Passed, false
	}
	return handover.Closed, false
}

// skip leaves out up to so many bytes of line ends, and returns how many more there may be.
func (c *conn) skip(most int) (left int) {
	for ; most > 0 && len(c.unread) > 0 && (c.unread[0] == '\r' || c.unread[0] == '\n'); most-- {
		c.unread = c.unread[1:]
	}
	if len(c.unread) > 0 {
		return 0
	}
	return most
}

// more reads until so many bytes are unread, within the patience for a body.
func (c *conn) more(whole int) bool {
	var all []byte
	if whole <= bufferSize {
		all = c.buffer[:copy(c.buffer[:], c.unread)] // at its start, whatever was served before
	} else {
		all = append(make([]byte, 0, whole), c.unread...)
	}
	_ = c.SetReadDeadline(time.Now().Add(bodyPatience))
	n, err := io.ReadFull(c.First, all[len(all):whole])
	c.unread = all[:len(all)+n]
	_ = c.SetReadDeadline(time.Time{})
	return err == nil
}

// write sends bytes of an answer. Only one that the client does not take at once needs a
// deadline.
func (c *conn) write(b []byte) error {
	c.out, c.n, c.err = b, 0, nil
	err := c.raw.Write(c.put)
	c.out = nil
	switch {
	case err != nil:
		return err
	case c.err != nil && c.err != syscall.EAGAIN:
		return c.err
	case c.n >= len(b):
		return nil
	}
	if c.lane.WriteTimeout > 0 {
		if err := c.SetWriteDeadline(time.Now().Add(c.lane.WriteTimeout)); err != nil {
			return err
		}
		defer c.SetWriteDeadline(time.Time{})
	}
	_, err = c.First.Write(b[max(c.n, 0):])
	return err
}

var _ net.Conn = (*conn)(nil)
