package gate

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"github.com/hookgate/hookgate/guard"
)

// errBodyCutOff: the client did not send all of the body.
var errBodyCutOff = errors.New("the body did not arrive in full")

// badFraming reports whether a body cannot be read on because of what the client sent,
// such as a length of a chunk that is no number, and not because it broke off. net/http
// has no type for that, so it is what is left of the errors of a chunked body.
func (x *exchange) badFraming(err error) bool {
	var transport net.Error // a deadline or a reset
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, errLongerThanDeclared):
		return true
	case err == nil || !x.chunked || errors.As(err, &transport) || errors.As(err, &tooLarge):
		return false
	}
	return !errors.Is(err, io.EOF) && !errors.Is(err, http.ErrBodyReadAfterClose) && !strings.Contains(err.Error(), io.ErrUnexpectedEOF.Error())
}

// heldBody is a body that is in memory.
type heldBody struct {
	bytes.Reader
	data []byte
}

// Close implements io.Closer.
func (*heldBody) Close() error { return nil }

func (x *exchange) holdsBody() bool {
	_, held := x.r.Body.(*heldBody)
	return held
}

// AtHand implements guard.Body.
func (x *exchange) AtHand() bool { return x.holdsBody() }

// Hold implements guard.Body: it takes all of the body into memory, and leaves it there
// to be forwarded. It is done only for requests that are allowed otherwise.
func (x *exchange) Hold() ([]byte, error) {
	r := x.r
	if held, ok := r.Body.(*heldBody); ok {
		return held.data, nil
	}
	var read bytes.Buffer
	if r.Body != nil {
		from := io.Reader(x.boundedBody())
		switch {
		case r.ContentLength < 0:
			from = &roomReader{Reader: from, exchange: x}
		case r.ContentLength > 0:
			if err := x.TakeRoom(&x.Begun, r.ContentLength); err != nil {
				return nil, err
			}
			read.Grow(int(r.ContentLength) + bytes.MinRead) // which ReadFrom wants to be free, to see the end
		}
		_, err := read.ReadFrom(from)
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			return nil, guard.ErrTooLarge
		case x.badFraming(err):
			return nil, guard.ErrUnframed
		case errors.Is(err, errNoRoom):
			return nil, errNoRoom
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

// boundedBody returns the request's body, which fails where it is larger than allowed or not of
// the length that it was declared with.
func (x *exchange) boundedBody() io.ReadCloser {
	switch r := x.r; {
	case r.ContentLength < 0:
		return http.MaxBytesReader(x.w, r.Body, x.Policy.MaxBody)
	case r.ProtoMajor > 1 && r.ContentLength > 0:
		return &declaredBody{r.Body, r.ContentLength}
	}
	return x.r.Body // net/http reads no more than was declared, and the decision was made on that
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
	exchange *exchange
	cutOff   atomic.Bool
	late     atomic.Bool // it was still to come when its time was over
	unframed atomic.Bool // nobody can tell where it ends
	ended    atomic.Bool
	refused  atomic.Pointer[guard.Decision] // what became of the request with errCredentialEnded
}

// errCredentialEnded: the credential of a request was revoked, or expired, while its
// body arrived.
var errCredentialEnded = errors.New("the credential ended while the body arrived")

// errIdentityChanged: an operator changed the label, or something else that the upstream is
// told of the credential, while the body arrived. The headers that say so may have been sent.
var errIdentityChanged = errors.New("what is said of the credential changed while the body arrived")

func (b *clientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		x := b.exchange
		now := x.Decision
		x.Policy.Recheck(&now, x.Keyring, x.Now())
		switch { // without its last bytes nobody takes it for whole
		case now.Outcome != guard.Allowed:
			b.refused.Store(&now)
			return 0, errCredentialEnded
		case !x.Policy.SaysSame(&x.Decision, &now):
			return 0, errIdentityChanged
		}
		b.ended.Store(true)
	case b.exchange.badFraming(err):
		b.unframed.Store(true)
	case err != nil && !errors.Is(err, http.ErrBodyReadAfterClose):
		b.late.Store(errors.Is(err, os.ErrDeadlineExceeded))
		b.cutOff.Store(true)
	}
	return n, err
}
