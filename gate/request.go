package gate

import (
	"net/http"
	"net/netip"

	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/internal/upstream"
)

// rewrite makes of an allowed request the one that the upstream is to see.
func rewrite(r *http.Request, f *guard.Forwarding) {
	f.Apply(r.Header)
	// The server asks the client for the body when it is first read. An upstream that was
	// asked, too, would say "100 Continue" a second time, upon which Java's client hangs.
	delete(r.Header, "Expect")
	if r.ContentLength == 0 {
		upstream.SendOnce(r.Header)
	}
	if f.ThroughProxy && f.Client.IsValid() {
		// The proxy that follows makes X-Forwarded-For of the peer's address. Behind an
		// ingress that would be the ingress.
		r.RemoteAddr = netip.AddrPortFrom(f.Client, 0).String()
	}
	// Trailers arrive after the decision, and could repeat any header. Without the
	// map there is nothing that net/http could fill at the end of the body.
	r.Trailer = nil
	if r.URL.Path != f.Path || r.URL.RawPath != "" || f.RawPath != f.Path {
		r.URL.Path, r.URL.RawPath = f.Path, f.RawPath
		r.RequestURI = r.URL.RequestURI()
	}
}

// unframed reports whether r may have a body that net/http does not see: chunks mean
// nothing in HTTP/1.0, so it takes a body without Content-Length for none, and an event
// would be lost with a 200. GET and its like come without a body as a rule.
func unframed(r *http.Request) bool {
	if r.ProtoAtLeast(1, 1) || len(r.Header["Content-Length"]) > 0 {
		return false
	}
	return r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch
}
