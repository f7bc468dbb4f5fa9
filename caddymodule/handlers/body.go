package handlers

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/hookgate/hookgate/guard"
)

const (
	// settleBytes and settleTime bound what is read of a refused request's body.
	settleBytes = 64 << 10
	settleTime  = 20 * time.Millisecond
	// lingerTime is how long a connection that is to close still takes a body.
	lingerTime = 500 * time.Millisecond
)

// settleBody prepares the connection for an answer to a request whose body nobody
// has read. Left alone, net/http would wait for up to 256 KiB of it before it sends
// the answer, for as long as the client cares to withhold them. So what has already
// arrived is drained, which keeps the connection usable; if that is not all, the
// connection closes after the answer.
func settleBody(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor != 1 || r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return // streams of HTTP/2 and 3 end without their body
	}
	connection := http.NewResponseController(w)
	until := time.Now().Add(settleTime)
	// Where the body has been read net/http reads on, to learn that the client has left. A
	// deadline that ends that read cancels everything that comes on the connection later:
	// one that was not taken back in time leaves nothing to keep.
	if drained(connection, r, until) && connection.SetReadDeadline(time.Time{}) == nil && time.Now().Before(until) {
		return
	}
	w.Header().Set("Connection", "close")
	// After the answer net/http still reads on, so that a client in the middle of
	// sending gets the answer and not a reset connection; without a deadline, one
	// that sends nothing would hold the connection.
	_ = connection.SetReadDeadline(time.Now().Add(lingerTime))
}

// settling answers for a handler that may do so without the request's body.
type settling struct {
	http.ResponseWriter
	r        *http.Request
	answered bool
}

// withSettledBody lets a handler answer without waiting for a body that it does not read.
func withSettledBody(h http.Handler, w http.ResponseWriter, r *http.Request) {
	h.ServeHTTP(&settling{ResponseWriter: w, r: r}, r)
}

// WriteHeader implements http.ResponseWriter.
func (s *settling) WriteHeader(status int) {
	if !s.answered && status >= http.StatusOK {
		s.answered = true
		settleBody(s.ResponseWriter, s.r)
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (s *settling) Write(b []byte) (int, error) {
	if !s.answered {
		s.WriteHeader(http.StatusOK)
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (s *settling) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// drained reads what arrives of a body until then, and reports whether that was all of it.
func drained(connection *http.ResponseController, r *http.Request, until time.Time) bool {
	if r.ContentLength > settleBytes || r.Header.Get("Expect") != "" {
		// Reading would answer "100 Continue", and ask for the body we do not want.
		return false
	}
	if connection.SetReadDeadline(until) != nil {
		return false
	}
	n, err := io.CopyN(io.Discard, r.Body, settleBytes+1)
	return err == io.EOF && n <= settleBytes
}

// Why a body could not be read.
var (
	errBodyCutOff   = errors.New("the body did not arrive in full")
	errBodyTooLarge = errors.New("the body is too large")
)

// heldBody is a body that is in memory.
type heldBody struct {
	bytes.Reader
	data []byte
}

// Close implements io.Closer.
func (*heldBody) Close() error { return nil }

// readBody takes all of r's body into memory, and leaves it there to be forwarded:
// what was looked at is what will be sent. It is done only for requests that are
// allowed otherwise.
func (g *Guard) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if held, ok := r.Body.(*heldBody); ok {
		return held.data, nil
	}
	var read bytes.Buffer
	if r.Body != nil {
		_, err := read.ReadFrom(g.boundedBody(w, r))
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			return nil, errBodyTooLarge
		case err != nil:
			return nil, errBodyCutOff
		}
	}
	held := &heldBody{data: read.Bytes()}
	held.Reset(held.data)
	// Without GetBody: net/http would send a request with an idempotency key a second
	// time where Matcher closed the connection upon the first, and 4.1 may have taken it.
	r.Body = held
	r.ContentLength = int64(len(held.data))
	r.TransferEncoding = nil
	delete(r.Header, "Expect") // it was met
	return held.data, nil
}

// verifyBody checks the signature of r's body. A body that the client does not
// finish is neither signed nor forged.
func (g *Guard) verifyBody(w http.ResponseWriter, r *http.Request, check *guard.SignatureCheck) (guard.Outcome, error) {
	signature, ok := check.Presented(r.Header[check.Header])
	if !ok {
		return guard.BadSignature, nil
	}
	body, err := g.readBody(w, r)
	if err != nil {
		return guard.Allowed, err
	}
	if !check.Verify(signature, body) {
		return guard.BadSignature, nil
	}
	return guard.Allowed, nil
}

// boundedBody returns r's body, which fails where it is larger than allowed or not of
// the length that it was declared with.
func (g *Guard) boundedBody(w http.ResponseWriter, r *http.Request) io.ReadCloser {
	switch {
	case r.ContentLength < 0:
		return http.MaxBytesReader(w, r.Body, g.MaxBody)
	case r.ProtoMajor > 1 && r.ContentLength > 0:
		return &declaredBody{r.Body, r.ContentLength}
	}
	return r.Body // net/http reads no more than was declared, and the decision was made on that
}

// declaredBody is the body of a stream of HTTP/2 or 3, whose frames say when it ends
// and whose Content-Length says so again. The upstream would take as many bytes as
// were declared for a whole body before anybody notices that more follow. So the
// last of them are held back until the stream has ended.
type declaredBody struct {
	io.ReadCloser
	left int64
}

var errLongerThanDeclared = errors.New("the body is longer than it was declared")

func (b *declaredBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left == 0 && n > 0 && err == nil {
		for err == nil && b.left == 0 {
			var more [1]byte
			var extra int
			extra, err = b.ReadCloser.Read(more[:])
			b.left -= int64(extra)
		}
	}
	switch {
	case b.left < 0:
		return 0, errLongerThanDeclared
	case b.left == 0 && err != nil && err != io.EOF:
		return 0, err
	}
	return n, err
}

// clientBody is the body of an allowed request on its way to the upstream. It notes
// whether it ended before its end: what then fails is not the upstream's failure.
type clientBody struct {
	io.ReadCloser
	guard    *Guard
	decision *guard.Decision
	cutOff   atomic.Bool
	late     atomic.Bool // it was still to come when its time was over
}

// errCredentialEnded: the credential of a request was revoked, or expired, while its
// body arrived.
var errCredentialEnded = errors.New("the credential ended while the body arrived")

func (b *clientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF && b.guard.recheck(*b.decision).Outcome != guard.Allowed {
		return 0, errCredentialEnded // without its last bytes nobody takes it for whole
	}
	if err != nil && err != io.EOF && !errors.Is(err, http.ErrBodyReadAfterClose) {
		b.late.Store(errors.Is(err, os.ErrDeadlineExceeded))
		b.cutOff.Store(true)
	}
	return n, err
}
