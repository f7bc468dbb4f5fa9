package guard

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// setHeaders are the headers that a Forwarding can set. Those from HeaderTenant on say who
// the request comes from.
var setHeaders = [...]string{
	"Authorization", HeaderIdempotencyKey, HeaderRequestID,
	HeaderTenant, HeaderCredentialID, HeaderKind, HeaderExternalSystem, HeaderVendor, HeaderConnection,
}

const firstIdentityHeader = 3

// Forwarding is all that is to be done to an allowed request on its way to the upstream.
// What it says nothing of passes as it came.
type Forwarding struct {
	// Path is where the request goes, and RawPath the same as it is to be sent. They hold
	// the token only where that is forwarded.
	Path, RawPath string
	// Query is the raw query of the request, where it is to be another than the client's:
	// there was a secret in it.
	Query    string
	NewQuery bool
	// Client is the one address that the upstream is told of; the zero Addr where it is
	// told of none.
	Client netip.Addr
	// ThroughProxy: the connection is not the client's, but that of a proxy of ours.
	ThroughProxy bool

	tokenHeader  string
	forwardToken bool
	named, pass  []string
	certificates []string // headers in which a proxy passes a certificate on
	secrets      []string // headers that hold a secret itself

	values [len(setHeaders)]string // of setHeaders; "": not set
}

// Forwarding returns what is to be done to an allowed request at the local time now. It
// returns nil, and refuses the request, where its credential is too close to its end to
// be vouched for.
func (p *Policy) Forwarding(d *Decision, now time.Time) (*Forwarding, error) {
	f := new(Forwarding)
	if ok, err := p.ForwardingInto(f, d, now); !ok {
		return nil, err
	}
	return f, nil
}

// ForwardingInto does the same in the place of another Forwarding. It reports false where
// Forwarding would return nil.
func (p *Policy) ForwardingInto(f *Forwarding, d *Decision, now time.Time) (ok bool, err error) {
	*f = Forwarding{
		Client: d.peer.Client, ThroughProxy: d.peer.Trusted,
		tokenHeader: p.TokenHeader, forwardToken: p.ForwardToken, named: d.peer.Named, pass: p.PassHeaders, certificates: p.CertHeaders,
	}
	if d.proofs != nil {
		f.secrets = d.proofs.SecretHeaders()
		sent := strings.TrimPrefix(d.query, "?")
		f.Query = d.proofs.StripQuery(sent)
		f.NewQuery = f.Query != sent
	}
	var authorization string
	if p.Asserter != nil {
		if authorization, ok, err = p.Asserter.Authorization(d, now); err != nil {
			return false, fmt.Errorf("sign a JWT: %w", err)
		}
		if !ok {
			d.Outcome, d.Identity = Expired, nil
			return false, nil
		}
	}
	who := d.who()
	f.values = [...]string{authorization, d.key, d.requestID, who[0], who[1], who[2], who[3], who[4], who[5]}
	if f.Path, f.RawPath, err = d.forward(who[1], p.ForwardToken); err != nil {
		return false, err
	}
	return true, nil
}

// who returns the values of the identity headers of an allowed request, as setHeaders has them.
func (d *Decision) who() [len(setHeaders) - firstIdentityHeader]string {
	who := d.Identity
	tenant, id := twoIDs(who.Tenant, d.Credential)
	externalSystem := ""
	if who.Kind == credential.KindCallback {
		externalSystem = url.PathEscape(who.Label)
	}
	return [...]string{tenant, id, string(who.Kind), externalSystem, who.Vendor, url.PathEscape(who.Connection)}
}

// SaysSame reports whether the upstream is told the same of who an allowed request comes from
// by both decisions on it, in the identity headers and in the JWT.
func (p *Policy) SaysSame(before, now *Decision) bool {
	if before.Credential == now.Credential && before.Identity == now.Identity {
		return true
	}
	return before.who() == now.who() && (p.Asserter == nil || p.Asserter.spelling(before.Identity) == p.Asserter.spelling(now.Identity))
}

// twoIDs returns both ids as text, in one piece of memory.
func twoIDs(a, b uuid.UUID) (string, string) {
	var room [2 * idLength]byte
	both := string(appendID(appendID(room[:0], a), b))
	return both[:idLength], both[idLength:]
}

const idLength = len("00000000-0000-0000-0000-000000000000")

func appendID(text []byte, id uuid.UUID) []byte {
	var digits [2 * len(id)]byte
	hex.Encode(digits[:], id[:])
	text = append(append(text, digits[:8]...), '-')
	text = append(append(text, digits[8:12]...), '-')
	text = append(append(text, digits[12:16]...), '-')
	text = append(append(text, digits[16:20]...), '-')
	return append(text, digits[20:]...)
}

// Fields calls yield with each header that is to be set, exactly once. Free text in it is
// percent-encoded UTF-8.
func (f *Forwarding) Fields(yield func(name, value string) bool) {
	for i, value := range f.values {
		if value != "" && !yield(setHeaders[i], value) {
			return
		}
	}
}

// Sets reports whether Fields has a header of this name.
func (f *Forwarding) Sets(name string) bool {
	for i := range f.values {
		if f.values[i] != "" && setHeaders[i] == name {
			return true
		}
	}
	return false
}

// Drops reports whether a header of the client's, in whatever spelling, must not get
// through, in every alias that some upstream maps to it: identity headers, the token
// header, Authorization, and what tells of the client, the user, the tenant, the host
// or the method.
func (f *Forwarding) Drops(name string) bool {
	switch {
	case f.keeps(name):
		return false
	case ownHeader(name) || isAlias(name, f.tokenHeader) || isAnyAlias(name, hopHeaders) || isAnyAlias(name, f.named) || isAnyAlias(name, f.secrets) || isAnyAlias(name, f.certificates) || isRequestIDAlias(name):
		return true
	case f.ThroughProxy && (name == forwardedHost || name == forwardedProto), slices.Contains(f.pass, name):
		return false
	}
	return telling(name)
}

// keeps reports whether a header is the token's, for an upstream that checks it again.
func (f *Forwarding) keeps(name string) bool { return f.forwardToken && name == f.tokenHeader }

// Apply makes of the client's header, whose keys may have any spelling, that of the
// request to the upstream.
//
// What the client declared to be for this hop alone goes, too, and the Connection header
// with it. The proxy that follows would obey that header, but after the identity headers
// are set, and would take them away again.
func (f *Forwarding) Apply(header map[string][]string) {
	var hop map[string]bool // in lower case
	connectionOptions(header, func(option string) bool {
		if !strings.EqualFold(option, "close") && !strings.EqualFold(option, "keep-alive") {
			if hop == nil {
				hop = make(map[string]bool)
			}
			hop[strings.ToLower(option)] = true
		}
		return true
	})
	for name := range header {
		if f.Drops(name) || len(hop) > 0 && hop[strings.ToLower(name)] && !f.keeps(name) {
			delete(header, name)
		}
	}
	f.setOn(header)
}

// Restore says once more who the request comes from, in a header that Apply has made and
// somebody else has changed.
func (f *Forwarding) Restore(header map[string][]string) {
	for _, name := range setHeaders[firstIdentityHeader:] {
		delete(header, name)
	}
	f.setOn(header)
}

func (f *Forwarding) setOn(header map[string][]string) {
	for i, name := range setHeaders {
		if f.values[i] != "" {
			header[name] = f.values[i : i+1 : i+1]
		}
	}
}
