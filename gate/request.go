package gate

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/internal/unread"
	"github.com/hookgate/hookgate/internal/upstream"
)

// rewrite makes of an allowed request the one that the upstream is to see.
func rewrite(r *http.Request, f *guard.Forwarding) {
	f.Apply(r.Header)
	// The server asks the client for the body when it is first read. An upstream that was
	// asked, too, would say "100 Continue" a second time, upon which Java's client hangs.
	delete(r.Header, "Expect")
	acceptReadable(r.Header)
	if r.ContentLength == 0 {
		upstream.SendOnce(r.Header)
	}
	// The proxy that follows makes X-Forwarded-For of the peer's address. Behind an ingress
	// that would be the ingress.
	switch {
	case !f.ThroughProxy:
	case f.Client.IsValid():
		r.RemoteAddr = netip.AddrPortFrom(f.Client, 0).String()
	default:
		r.RemoteAddr = ":0" // of which none is made
	}
	// Trailers arrive after the decision, and could repeat any header. Without the
	// map there is nothing that net/http could fill at the end of the body.
	r.Trailer = nil
	if r.URL.Path != f.Path || r.URL.RawPath != "" || f.RawPath != f.Path {
		r.URL.Path, r.URL.RawPath = f.Path, f.RawPath
		r.RequestURI = r.URL.RequestURI()
	}
	if f.NewQuery {
		r.URL.RawQuery = f.Query
		r.RequestURI = r.URL.RequestURI()
	}
}

// posts reports whether r has what a request that posts something has.
func posts(r *http.Request) bool {
	if len(r.Header["Content-Type"]) > 0 || len(r.Header["Content-Length"]) > 0 || r.ContentLength > 0 {
		return true
	}
	return r.ContentLength < 0 && r.ProtoMajor < 3 // over HTTP/3 nobody knows before the end of the stream
}

// unframedTime is how long bytes may lie behind the head of a request without a length to
// be seen. Clients write head and body one after the other, and a network may hold the
// second back for a round trip; a busy machine takes longer to run the client again.
const unframedTime = 250 * time.Millisecond

// unframed reports whether r may have a body that net/http does not see: it takes a body
// without Content-Length for none in HTTP/1.0, where chunks mean nothing, and an event
// would be lost with a 200. Who says of what type it is means to send one. nginx by default
// sends so what has none, too: there it is one where bytes follow, which is waited for. GET
// and its like come without a body as a rule.
func unframed(w http.ResponseWriter, r *http.Request) bool {
	if !withoutLength(r) {
		return false
	}
	if len(r.Header["Content-Type"]) > 0 {
		return true
	}
	follows, known := unread.Follows(r.Context(), w, unframedTime)
	return follows || !known
}

// withoutLength reports whether r is one of HTTP/1.0 that may have a body, and has no
// length.
func withoutLength(r *http.Request) bool {
	if r.ProtoAtLeast(1, 1) || len(r.Header["Content-Length"]) > 0 {
		return false
	}
	return r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch
}
