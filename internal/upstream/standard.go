package upstream

import (
	"context"
	"io"
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
