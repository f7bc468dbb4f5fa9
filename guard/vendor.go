package guard

import (
	"net/netip"
	"time"

	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/proof"
)

// VendorPolicy is what requests of a vendor must show beyond a live token, and how they are
// answered.
type VendorPolicy struct {
	// AllowIPs are the addresses that the vendor sends from; none means any.
	AllowIPs []netip.Prefix
	// Proof is how the vendor proves itself, in any of several ways; nil: it does not. A
	// credential that has a proof of its own is judged by that alone.
	Proof proof.Any
	// ClientCert is whose certificate requests come with; nil: none is asked for. It holds
	// for credentials with a proof of their own as well.
	ClientCert *ClientCert
	// Either: one of AllowIPs, ClientCert and a proof is enough.
	Either bool
	// Unenforced: a proof that fails is told of, and refuses nothing.
	Unenforced bool
	// Replay is how long a delivered event is recognised when it comes again; 0: never.
	Replay time.Duration
	// Challenge answers the vendor's handshakes; nil: there are none.
	Challenge *Challenge
	// Success is what the vendor gets in place of the upstream's own 2xx; nil: that.
	Success *Success
}

// HasChoice reports whether there are two conditions of which one can be enough.
func (v *VendorPolicy) HasChoice() bool {
	n := 0
	for _, given := range []bool{v.AllowIPs != nil, v.ClientCert != nil, v.Proof != nil} {
		if given {
			n++
		}
	}
	return n >= 2
}

// Challenge answers the handshakes of one kind.
type Challenge struct {
	*proof.Responder
	Kind string
}

// takes reports whether a method is one that only such a handshake has.
func (c *Challenge) takes(method string) bool {
	return c.Kind == "cloudevents" && method == "OPTIONS"
}

// proves reports whether an answered handshake is known to be the vendor's.
func (c *Challenge) proves() bool { return c.Kind == "meta" || c.Kind == "slack" || c.Kind == "zoom" }

// Success is an answer.
type Success struct {
	Status int
	Body   string
}

// Success returns what the vendor gets in place of the upstream's own 2xx; nil: that.
func (d *Decision) Success() *Success {
	if d.vendor == nil {
		return nil
	}
	return d.vendor.Success
}

// noVendor asks for nothing.
var noVendor VendorPolicy

// vendorOf returns what is asked of a credential's vendor.
func (p *Policy) vendorOf(key keyring.Key) *VendorPolicy {
	if key.Identity == nil || key.Vendor == "" {
		return &noVendor
	}
	if vendor := p.Vendors[key.Vendor]; vendor != nil {
		return vendor
	}
	return &noVendor
}

// allowedFrom reports whether a client may come from where it does. Where there is
// a list, a client whose address is unknown is not on it.
func allowedFrom(list []netip.Prefix, client netip.Addr) bool {
	if len(list) == 0 {
		return true
	}
	for _, prefix := range list {
		if prefix.Contains(client) {
			return true
		}
	}
	return false
}
