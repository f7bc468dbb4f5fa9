package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"

	"github.com/hookgate/hookgate/internal/wire"
)

// Asked is a request that was sent, and at least the beginning of its answer. It ends with
// End, behind the use of what Whole returned, or with Receive.
type Asked struct {
	t      *Transport
	f      *inFlight
	buffer *[answerSize]byte
	head   plainHead
	n      int   // bytes of buffer
	err    error // why there are none
}

// answerSize is the most of an answer, in bytes, that is taken in one piece.
const answerSize = 8 << 10

var asked = sync.Pool{New: func() any {
	return &Asked{buffer: new([answerSize]byte), head: plainHead{Answer: wire.Answer{Fields: make([]wire.Field, 0, 24)}}}
}}

// Ask sends a small request that the caller has written, on the direct way. Nothing but the
// deadline of the connection ends it early.
func (t *Transport) Ask(message []byte) (*Asked, error) {
	for {
		f, err := t.connect(context.Background(), t.idle.youngest)
		if err != nil {
			return nil, err
		}
		a := asked.Get().(*Asked)
		a.t, a.f = t, f
		if err = a.ask(message); err == nil {
			return a, nil
		}
		reused := f.reused
		f.drop()
		a.end()
		if !reused {
			return nil, &Unsent{err}
		}
	}
}

// end gives up what was asked.
func (a *Asked) end() {
	a.t, a.f, a.n, a.err = nil, nil, 0, nil
	asked.Put(a)
}

var errStale = errors.New("the upstream has closed the connection, or has sent something unasked for")

// ask sends message, and reads what comes first of the answer. Its error means that nothing
// was sent.
func (a *Asked) ask(message []byte) error {
	c := a.f.conn
	c.asking = asking{message: message, look: c.reused, into: a.buffer[:]}
	err := c.raw.Read(c.step)
	did := c.asking
	c.asking = asking{}
	switch {
	case did.stale:
		return errStale
	case err != nil && did.sent == 0:
		return err
	case did.sent < len(message):
		if did.sent == 0 && did.err != nil && did.err != syscall.EAGAIN {
			return c.failed("write", did.err)
		}
		n, err := c.Write(message[did.sent:]) // which waits for the upstream to take it
		if err != nil && did.sent+n == 0 {
			return err
		}
		a.f.cut = err != nil
		a.n, a.err = c.Conn.Read(a.buffer[:])
		return nil
	case err != nil:
		var op *net.OpError
		if errors.As(err, &op) {
			op.Op = "read"
		}
		a.err = err
		return nil
	}
	a.n, a.err = did.n, did.err
	if did.err != nil && did.err != io.EOF {
		a.err = c.failed("read", did.err)
	}
	return nil
}

// failed returns the error of a system call as package net does.
func (c *conn) failed(op string, err error) error {
	return &net.OpError{Op: op, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError(op, err)}
}

// Whole returns the answer where it is of the usual form and at hand in full; nil: it is not,
// or there is none. It is there until End.
func (a *Asked) Whole() *wire.Answer {
	h := &a.head
	h.Fields = h.Fields[:0]
	if a.err != nil || !h.read(a.buffer[:a.n]) || h.length > int64(a.n-h.size) {
		return nil
	}
	h.dropHopFields()
	h.Body = a.buffer[h.size : h.size+int(h.length)]
	return &h.Answer
}

// End is called behind the use of an answer that came whole.
func (a *Asked) End() {
	keep := !a.head.close && !a.f.cut && a.head.size+int(a.head.length) == a.n
	a.f.finish(a.t, keep)
	a.end()
}

// Receive returns any other answer, as Direct does. From here on the end of r's context ends it.
func (a *Asked) Receive(r *http.Request, interim Interim) (*http.Response, error) {
	f, t := a.f, a.t
	early, err := append([]byte(nil), a.buffer[:a.n]...), a.err
	a.end()
	f.watch(r.Context())
	if err == nil || len(early) > 0 {
		f.early = early
		return f.receive(t, r, interim)
	}
	if errors.Is(err, io.EOF) { // before an answer it is never in order
		err = io.ErrUnexpectedEOF
	}
	return nil, f.fail(err)
}

// asking is a request on its way, and the answer to it. One call of the connection does it
// all, so that nothing looks for an answer before there can be one.
type asking struct {
	message []byte
	look    bool // whether the connection still is one
	into    []byte

	stale   bool
	written bool
	sent    int // of message
	n       int // of into
	err     error
}
