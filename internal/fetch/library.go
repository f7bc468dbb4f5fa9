package fetch

import (
	"io"
	"net/http"
)

// HTTPClient returns a client with the same bounds for a library that wants one of
// net/http. An answer that is too large cannot be read to its end.
func HTTPClient(o Options) *http.Client {
	client := unbounded(o)
	client.Transport = bounded{client.Transport, o.MaxBody}
	return client
}

type bounded struct {
	http.RoundTripper
	maxBody int64
}

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = &boundedBody{response.Body, b.maxBody}
	}
	return response, err
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left+1 { // one more tells that there is more
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}
