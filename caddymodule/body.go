package caddymodule

import (
	"bytes"
	"errors"
	"io"
	"net/http"
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
	if drained(connection, r) && connection.SetReadDeadline(time.Time{}) == nil {
		return
	}
	w.Header().Set("Connection", "close")
	// After the answer net/http still reads on, so that a client in the middle of
	// sending gets the answer and not a reset connection; without a deadline, one
	// that sends nothing would hold the connection.
	_ = connection.SetReadDeadline(time.Now().Add(lingerTime))
}

// drained reads what has arrived of a body, and reports whether that was all of it.
func drained(connection *http.ResponseController, r *http.Request) bool {
	if r.ContentLength > settleBytes || r.Header.Get("Expect") != "" {
		// Reading would answer "100 Continue", and ask for the body we do not want.
		return false
	}
	if connection.SetReadDeadline(time.Now().Add(settleTime)) != nil {
		return false
	}
	n, err := io.CopyN(io.Discard, r.Body, settleBytes+1)
	return err == io.EOF && n <= settleBytes
}

var errBodyCutOff = errors.New("the body did not arrive in full")

// verifyBody checks the signature of r's body. That takes all of it in memory, so it
// is done for requests that are allowed otherwise; what was verified is what will be
// forwarded. A body that the client does not finish is neither signed nor forged.
func (g *Guard) verifyBody(w http.ResponseWriter, r *http.Request, check *guard.SignatureCheck) (guard.Outcome, error) {
	signature, ok := check.Presented(r.Header[check.Header])
	if !ok {
		return guard.BadSignature, nil
	}
	var body bytes.Buffer
	if r.Body != nil {
		_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, g.MaxBody))
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			return guard.TooLarge, nil
		case err != nil:
			return guard.Allowed, errBodyCutOff
		}
	}
	if !check.Verify(signature, body.Bytes()) {
		return guard.BadSignature, nil
	}
	r.Body = io.NopCloser(&body)
	r.ContentLength = int64(body.Len())
	r.TransferEncoding = nil
	delete(r.Header, "Expect") // it was met
	return guard.Allowed, nil
}

// clientBody notes whether a body ended before its end: what then fails at the
// upstream is not the upstream's failure.
type clientBody struct {
	io.ReadCloser
	cutOff atomic.Bool
}

func (b *clientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF && !errors.Is(err, http.ErrBodyReadAfterClose) {
		b.cutOff.Store(true)
	}
	return n, err
}
