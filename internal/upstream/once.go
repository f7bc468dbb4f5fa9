package upstream

import (
	"io"
	"maps"
	"net/http"
)

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
	r.Header = maps.Clone(r.Header)
	SendOnce(r.Header)
	return r
}

// idempotencyKeys are the headers by which the standard library takes a request without a
// body for one that can be sent again, and other spellings of them.
var idempotencyKeys = [...][2]string{
	{"Idempotency-Key", "idempotency-key"}, {"X-Idempotency-Key", "x-idempotency-key"},
}

// SendOnce changes the header of a request without a body so that the standard library,
// and with it Caddy's reverse_proxy, does not send it a second time for its idempotency
// key. It looks for the names as they are usually written; to everybody else case makes
// no difference.
func SendOnce(header http.Header) { respell(header, false) }

// respell gives idempotency keys their usual names in a header, or the other ones.
func respell(header http.Header, usual bool) {
	for _, names := range idempotencyKeys {
		from, to := names[0], names[1]
		if usual {
			from, to = to, from
		}
		if values, ok := header[from]; ok {
			delete(header, from)
			header[to] = values
		}
	}
}

// UsualNames takes back what SendOnce has done, for a transport of this package.
func UsualNames(header http.Header) { respell(header, true) }

// emptyBody is not http.NoBody, which the standard library knows.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) Close() error             { return nil }
