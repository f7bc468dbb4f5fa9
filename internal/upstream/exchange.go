package upstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// maxSmall is the largest body in bytes that is sent directly. Together with its
// header it fits into the buffers of the two sockets, so that an upstream that
// answers without reading it, and we who read the answer only after the writing,
// never wait for each other.
const maxSmall = 32 << 10

// small reports whether r can be sent directly: its body has a length, and not a large
// one.
func small(r *http.Request) bool {
	return r.ContentLength >= 0 && r.ContentLength <= maxSmall && len(r.TransferEncoding) == 0 && len(r.Trailer) == 0 &&
		len(r.Header["Upgrade"]) == 0
}

// buffers hold requests while they are written.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func putBuffer(b *bytes.Buffer) {
	b.Reset()
	buffers.Put(b)
}

// exchange sends r on a connection of its own for the time, and reads the answer. The
// body is read to its end before anything is sent: one that breaks off, or whose
// credential ends or is renamed, never reaches the upstream.
func (t *Transport) exchange(r *http.Request, interim Interim) (*http.Response, error) {
	message := buffers.Get().(*bytes.Buffer)
	defer putBuffer(message)
	if err := assemble(message, r); err != nil {
		return nil, err
	}
	c, err := t.send(r.Context(), message.Bytes())
	if err != nil {
		return nil, err
	}
	return c.receive(t, r, interim)
}

var (
	errBodyLength = errors.New("the body is not of the length that it was declared with")
	errMethod     = errors.New("the method is not a token (RFC 9110, section 9.1)")
)

// assemble writes all of r to message. What can fail in it is the reading of the body.
func assemble(message *bytes.Buffer, r *http.Request) error {
	// Request.Write leaves it to the transport to look at the method: what has a space in
	// it would be a request for another path.
	if r.Method != "" && !httpguts.ValidHeaderFieldName(r.Method) { // a token, as names are
		return errMethod
	}
	out := *r
	if r.Body != nil {
		body := buffers.Get().(*bytes.Buffer)
		defer putBuffer(body)
		_, err := body.ReadFrom(r.Body)
		_ = r.Body.Close()
		switch {
		case err != nil:
			return err
		case int64(body.Len()) != r.ContentLength:
			return errBodyLength
		}
		if appendRequest(message, r, body.Bytes()) {
			return nil
		}
		out.Body = io.NopCloser(body)
		if body.Len() == 0 {
			out.Body = http.NoBody
		}
	} else if appendRequest(message, r, nil) {
		return nil
	}
	return out.Write(message)
}

// inFlight is a connection with a request on it.
type inFlight struct {
	*conn
	ctx context.Context
	// release ends the watch for the end of ctx, and reports whether that has not come.
	release func() bool
	// cut: not all of the request could be sent.
	cut bool
}

// notWatched is the release of a connection whose context has no end.
func notWatched() bool { return true }

// past is a time at which everything that waits for the connection gives up.
var past = time.Unix(1, 0)

// connect returns an idle connection that can take a request, or a new one, on which what
// is done is bounded.
func (t *Transport) connect(ctx context.Context, take func(now time.Time) *conn) (*inFlight, error) {
	now := time.Now()
	c := take(now)
	if c == nil {
		made, err := t.dialler.dial(ctx)
		if err != nil {
			return nil, err
		}
		if c, err = newConn(made); err != nil {
			return nil, &Unsent{err}
		}
		now = time.Now()
	}
	if err := c.armFor(t.timeout, now); err != nil {
		_ = c.Close()
		return nil, &Unsent{err}
	}
	f := &c.flight
	*f = inFlight{conn: c}
	f.watch(ctx)
	return f, nil
}

// watch has the end of ctx end whatever waits for the connection.
func (f *inFlight) watch(ctx context.Context) {
	f.ctx, f.release = ctx, notWatched
	if ctx.Done() != nil {
		c := f.conn.Conn
		f.release = context.AfterFunc(ctx, func() { _ = c.SetDeadline(past) })
	}
}

// send writes message to an idle connection or a new one. On an idle one that turns
// out to be closed, and has taken none of it, it is written again, to another one.
func (t *Transport) send(ctx context.Context, message []byte) (*inFlight, error) {
	for {
		f, err := t.connect(ctx, t.idle.take)
		if err != nil {
			return nil, err
		}
		n, err := f.Write(message)
		if err == nil || n > 0 {
			// Who has closed before the end of the request may have answered first.
			f.cut = err != nil
			return f, nil
		}
		reused := f.reused
		f.drop()
		if cause := ctx.Err(); cause != nil {
			return nil, cause
		}
		if !reused {
			return nil, &Unsent{err}
		}
	}
}

// drop closes the connection.
func (f *inFlight) drop() {
	f.release()
	_ = f.Close()
}

// fail closes the connection, and returns why the exchange failed.
func (f *inFlight) fail(err error) error {
	cause := f.ctx.Err()
	f.drop()
	if cause != nil {
		return cause
	}
	return err
}

// finish is called when the answer has been read. It keeps the connection, if that is
// wanted and nothing else has arrived on it.
func (f *inFlight) finish(t *Transport, keep bool) {
	if !f.release() || !keep || f.answer.Buffered() > 0 || len(f.early) > 0 {
		_ = f.Close()
		return
	}
	t.idle.put(f.conn)
}

var (
	errStatus   = errors.New("the status of the upstream's answer is none")
	errSwitched = errors.New("the upstream switched protocols unasked")
)

// receive reads the answer to r, its body but for what has not been asked for yet.
func (f *inFlight) receive(t *Transport, r *http.Request, interim Interim) (*http.Response, error) {
	f.left = maxAnswerHeader
	answer, err := f.final(r, interim)
	switch {
	case err == nil:
	case f.left <= 0: // whatever the part that was read looks like
		return nil, f.fail(errHeaderTooLarge)
	case errors.Is(err, io.EOF): // before an answer it is never in order
		return nil, f.fail(io.ErrUnexpectedEOF)
	default:
		return nil, f.fail(err)
	}
	f.left = unbounded
	keep := !answer.Close && !f.cut
	if answer.Body == http.NoBody {
		f.finish(t, keep)
		return answer, nil
	}
	if answer.ContentLength < 0 || answer.ContentLength > int64(f.answer.Buffered()) {
		// More is to come, in its own time. The watch may have set a deadline meanwhile.
		if err := f.SetDeadline(time.Time{}); err != nil || f.ctx.Err() != nil {
			return nil, f.fail(err)
		}
	}
	answer.Body = &answerBody{f: f, t: t, source: answer.Body, keep: keep}
	return answer, nil
}

// final reads answers until one that is not interim, and passes those on. There may be
// any number of them, as long as all together fit into maxAnswerHeader.
func (f *inFlight) final(r *http.Request, interim Interim) (*http.Response, error) {
	for {
		if answer, ok := readPlain(f.answer, r); ok {
			return answer, nil
		}
		answer, err := http.ReadResponse(f.answer, r)
		switch {
		case err != nil:
			return nil, err
		case answer.StatusCode < http.StatusContinue:
			return nil, errStatus // net/http's server would panic over it
		case answer.StatusCode == http.StatusSwitchingProtocols:
			return nil, errSwitched
		case answer.StatusCode >= http.StatusOK:
			return answer, nil
		}
		if interim != nil {
			if err := interim(answer.StatusCode, textproto.MIMEHeader(answer.Header)); err != nil {
				return nil, err
			}
		}
	}
}

// answerBody is the body of an answer. With its end the connection is free again.
type answerBody struct {
	f      *inFlight
	t      *Transport
	source io.Reader
	keep   bool
	end    error // set when there is no more to read
}

func (b *answerBody) Read(p []byte) (int, error) {
	if b.end != nil {
		return 0, b.end
	}
	n, err := b.source.Read(p)
	switch err {
	case nil:
		return n, nil
	case io.EOF:
		b.f.finish(b.t, b.keep)
	default:
		err = b.f.fail(err)
	}
	b.end = err
	return n, err
}

// Close implements io.Closer. A body that has not been read to its end takes its
// connection with it.
func (b *answerBody) Close() error {
	if b.end == nil {
		b.end = http.ErrBodyReadAfterClose
		b.f.drop()
	}
	return nil
}
