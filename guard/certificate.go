package guard

import (
	"time"

	"github.com/hookgate/hookgate/proof"
	"github.com/hookgate/hookgate/proof/clientcert"
)

// ClientCert is whose TLS certificate a request has to come with.
type ClientCert struct {
	*clientcert.Verifier
	// FromHeader is the header in which a trusted proxy passes the certificate on, in
	// canonical form; "": it is that of the connection.
	FromHeader string
}

// judge judges the certificate of a request. Nobody but a trusted proxy can say in a header
// what it is.
func (c *ClientCert) judge(req *Request, now time.Time) proof.Result {
	switch {
	case c.FromHeader == "":
		return c.Presented(req.Certificates, now)
	case !req.Trusted:
		return clientcert.Missing
	}
	return c.PassedOn(req.Header[c.FromHeader], now)
}

// certify judges whether a request that passes otherwise came with its vendor's certificate.
// Like the address it is there before the body, so that it is asked for of a probe, too.
func (d *Decision) certify(req *Request, now time.Time) {
	want := d.vendor.ClientCert
	if want == nil || d.vendor.Either && !d.unaddressed {
		return
	}
	result := want.judge(req, now)
	switch {
	case result == proof.OK:
		d.Proof, d.unaddressed = result, false
	case d.vendor.Either && d.proofs != nil: // which may do as well
	case d.vendor.Unenforced && d.vendor.Either:
		d.Outcome, d.Proof, d.Reason = SourceIP, Unenforced, result
	case d.vendor.Unenforced:
		d.Proof, d.Reason = Unenforced, result
	default:
		d.Outcome, d.Proof, d.Reason = BadSignature, result, result
	}
}
