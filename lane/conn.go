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
)

// bufferSize is enough for a head and a usual body.
const bufferSize = 16 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// conn is a connection in the lane. While it waits for a request it holds no buffer, for
// most connections do nothing else.
type conn struct {
	*handover.First
	lane   *Lane
	remote string
	raw    syscall.RawConn

	buffer *[bufferSize]byte // nil while it waits
	unread []byte            // a part of buffer, or of something larger

	// Kept here with the function that sets them: a closure made for each read would be
	// garbage each time.
	read func(fd uintptr) bool
	n    int
	err  error
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
	c := &conn{First: nc, lane: l, raw: raw, remote: nc.RemoteAddr().String()}
	c.read = func(fd uintptr) bool {
		if c.buffer == nil {
			c.buffer = buffers.Get().(*[bufferSize]byte)
		}
		for {
			c.n, c.err = syscall.Read(int(fd), c.buffer[:])
			if !errors.Is(c.err, syscall.EINTR) {
				break
			}
		}
		if errors.Is(c.err, syscall.EAGAIN) {
			c.release()
			return false
		}
		return true
	}
	return c, true
}

// release gives the buffer back.
func (c *conn) release() {
	if c.buffer != nil {
		buffers.Put(c.buffer)
		c.buffer = nil
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
	if c.buffer != nil && whole <= bufferSize {
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

// write sends bytes of an answer.
func (c *conn) write(b []byte) error {
	if c.lane.WriteTimeout > 0 {
		if err := c.SetWriteDeadline(time.Now().Add(c.lane.WriteTimeout)); err != nil {
			return err
		}
	}
	_, err := c.First.Write(b)
	return err
}

// memory is a body that is at hand.
type memory struct{ bytes.Reader }

// Close implements io.Closer.
func (*memory) Close() error { return nil }

var (
	_ io.ReadCloser = (*memory)(nil)
	_ net.Conn      = (*conn)(nil)
)
