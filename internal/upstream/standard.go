package upstream

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
)

// forward sends r the way of the standard library's transport.
func (t *Transport) forward(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	left := maxAnswerHeader
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// With somebody listening to them, the standard library takes interim answers
		// without an end.
		Got1xxResponse: func(_ int, header textproto.MIMEHeader) error {
			if left -= size(header); left < 0 {
				cancel(errHeaderTooLarge)
			}
			return nil
		},
	})
	answer, err := t.standard.RoundTrip(unrepeatable(r.WithContext(ctx)))
	if err != nil {
		cancel(err)
		return nil, err
	}
	answer.Body = releasing(answer.Body, func() { cancel(nil) })
	return answer, nil
}

// size is about as many bytes as a header takes, with the line above it.
func size(header textproto.MIMEHeader) int {
	n := len("HTTP/1.1 102 Processing\r\n\r\n")
	for name, values := range header {
		for _, value := range values {
			n += len(name) + len(": ") + len(value) + len("\r\n")
		}
	}
	return n
}

// releasing returns body, which calls release when it is closed.
func releasing(body io.ReadCloser, release func()) io.ReadCloser {
	closing := releasingBody{body, release}
	if w, ok := body.(io.Writer); ok { // of a connection that has switched protocols
		return struct {
			releasingBody
			io.Writer
		}{closing, w}
	}
	return closing
}

type releasingBody struct {
	io.ReadCloser
	release func()
}

// Close implements io.Closer.
func (b releasingBody) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}

// unrepeatable returns r as a request that is sent once. Where an upstream closes its
// connection upon a request, the standard library sends it again if it has no body and
// is idempotent, by its method or by an idempotency key. It cannot know whether the
// first one was acted upon, and a vendor would rather hear that it may have been.
func unrepeatable(r *http.Request) *http.Request {
	if r.Body != nil && r.Body != http.NoBody {
		r.GetBody = nil // the caller's request is another one
		return r
	}
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		// A body that turns out to be empty is none on the wire, but it cannot be sent twice.
		r.Body = emptyBody{}
		return r
	}
	// The standard library looks for the names as they are written here; to everybody
	// else case makes no difference.
	for canonical, other := range map[string]string{
		"Idempotency-Key": "idempotency-key", "X-Idempotency-Key": "x-idempotency-key",
	} {
		if values, ok := r.Header[canonical]; ok {
			r.Header = maps.Clone(r.Header)
			delete(r.Header, canonical)
			r.Header[other] = values
		}
	}
	return r
}

// emptyBody is not http.NoBody, which the standard library knows.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) Close() error             { return nil }
