package guard

import (
	"crypto/x509"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// Request is the guard's view of a request.
type Request struct {
	Method string
	// Target is the request target as the client sent it, not decoded or cleaned.
	Target string
	// Tokens are the values of the token header, one for each line of it.
	Tokens []string
	// Authorization are the values of that header, one for each line of it. Only api
	// paths look at it.
	Authorization []string
	// Posts: it has a body, its length or its type, as what is posted has.
	Posts bool
	// Unframed: nothing that counts says how long the body is.
	Unframed bool
	// ContentLength is the declared length of the body in bytes, -1 if unknown.
	ContentLength int64
	// Header are all headers by their canonical names. Only vendors whose certificate a
	// proxy passes on have it looked at.
	Header map[string][]string
	// RequestID is the id under which the upstream is to know the request; "" leaves the
	// client's.
	RequestID string
	Peer
}

// Peer is who a request comes from.
type Peer struct {
	// Client is the address of the client, IPv4 as such and without a zone; the zero
	// Addr where it is unknown.
	Client netip.Addr
	// Trusted: the request came through a proxy of ours, whose word on the client counts.
	Trusted bool
	// Named are the headers in which such a proxy names the client; they go no further.
	Named []string
	// Certificates are those that the other end of the connection presented in TLS, its own
	// first; it has shown that it holds the key.
	Certificates []*x509.Certificate
}

// Keyring tells what is known of a token. *store.Keyring is one.
type Keyring interface {
	Lookup(credential.Digest) (keyring.Key, keyring.Standing)
	Age(now time.Time) (age time.Duration, loaded bool)
	ServerTime(local time.Time) time.Time
}

// Policy is what the guard lets through. It does not change while in use.
type Policy struct {
	Routes []Route
	// Beside returns the policies of the other guards of the process, this one may be among
	// them; nil: there are none.
	Beside func() []*Policy
	// TokenHeader is the name of the header that holds a token, in canonical form.
	TokenHeader string
	// Vendors are further conditions, by the credential's vendor.
	Vendors map[string]*VendorPolicy
	// CertHeaders are the headers in which proxies pass certificates on, in canonical form.
	// They go no further.
	CertHeaders []string
	// PublicURL returns what stands before the path in the URLs that vendors post to, ""
	// where it is not known. Some of them sign it. Nil: it never is.
	PublicURL func() string
	// PassHeaders are headers that pass though their names tell of a client or the like, in
	// canonical form.
	PassHeaders []string
	// ForwardToken: the upstream checks the token again, so that it stays where it is.
	ForwardToken bool
	// Asserter vouches for requests to the upstream; nil: nobody does.
	Asserter *Asserter
	// KeyFromBody: a delivery that the vendor did not name gets an idempotency key that is
	// made of its body.
	KeyFromBody bool
	// Throttle bounds how often a client is told that its credential is refused; nil: it is
	// told every time. It is all that a decision leaves behind.
	Throttle *Throttle
	// Tenants are those whose credentials may pass; nil: all.
	Tenants map[uuid.UUID]bool
	// MaxBody is the largest body in bytes.
	MaxBody int64
	// MaxStaleness is how old the keyring may be to decide anything at all.
	MaxStaleness time.Duration
}

const (
	// maxUnknownAge is how old the keyring may be to call a token unknown: one that
	// another sidecar has just minted must get 503, which vendors retry, and not
	// 401, upon which they drop the event.
	maxUnknownAge = 2 * time.Second
	// staleRetryAfter is short, since a keyring recovers as soon as Redis does, and
	// vendors give up after few attempts.
	staleRetryAfter = 5 * time.Second
)

// Decide decides on req at the local time now. Checks come in a fixed order, each
// answering only what the ones before it left open.
func (p *Policy) Decide(req *Request, ring Keyring, now time.Time) (d Decision) {
	d.peer, d.requestID, d.method, d.arrived = req.Peer, req.RequestID, req.Method, now
	p.decide(&d, req, ring, now)
	if p.Throttle != nil && d.Outcome.Unauthorized() {
		if wait := p.Throttle.Fail(req.Client, now); wait > 0 {
			d.Outcome, d.RetryAfter = Throttled, wait
		}
	}
	return d
}

func (p *Policy) decide(d *Decision, req *Request, ring Keyring, now time.Time) {
	d.path, d.query = splitTarget(req.Target)
	if !validMethod(req.Method) || !canonicalPath(d.path) || !cleanQuery(d.query) || len(req.Tokens) > 1 || req.Unframed {
		d.Outcome = Ambiguous
		return
	}
	d.route, d.found = p.route(d.path)
	if like := p.resembled(d.path, d.route); like != nil {
		d.Outcome, d.Kind, d.Template = Ambiguous, like.kind, like.template
		return
	}
	if d.route == nil {
		d.Outcome = NoRoute
		return
	}
	d.Kind, d.Template = d.route.kind, d.route.template
	if ambiguous(d.route, d.path, req) {
		d.Outcome = Ambiguous
		return
	}

	probe, get := false, req.Method == "GET" || req.Method == "HEAD"
	switch {
	case req.Method == "POST":
	case d.Kind == credential.KindAPI && apiMethod(req.Method):
	case d.Kind == credential.KindWebhook && get && !req.Posts:
		probe = true
	case d.Kind == credential.KindWebhook && p.challenges(d.found.vendor, req.Method):
		d.challenging = true
	default:
		d.Outcome, d.Allow, d.Redirected = Method, d.route.allow(), d.Kind == credential.KindWebhook && get
		return
	}
	if req.ContentLength > p.MaxBody {
		d.Outcome = TooLarge
		return
	}

	digest, outcome := presented(d.route, d.found.token, req)
	if outcome != "" {
		d.Outcome = outcome
		if outcome == WrongKind {
			key, _ := ring.Lookup(digest) // for the log only: no answer of it would be another
			d.Credential = key.ID
		}
		return
	}
	d.digest = digest
	p.judge(d, ring, now)
	if d.Outcome != Allowed {
		return
	}
	if d.certify(req, now); d.Outcome != Allowed {
		return
	}
	if probe {
		d.Outcome = Probe
		if d.unaddressed && d.vendor.Challenge == nil {
			d.Outcome = SourceIP // it brings no proof
		}
	}
}

// challenges reports whether a method is one that only a handshake of the vendor's has.
func (p *Policy) challenges(vendor, method string) bool {
	policy := p.Vendors[vendor]
	return policy != nil && policy.Challenge != nil && policy.Challenge.takes(method)
}

// Recheck decides on an allowed request once more, when its body has arrived: that
// may be long after its header, and the credential have ended since.
func (p *Policy) Recheck(d *Decision, ring Keyring, now time.Time) {
	p.judge(d, ring, now)
	switch {
	case d.Outcome != Allowed || !d.unaddressed:
	case d.Proof.Proven():
		d.unaddressed = false
	default:
		d.Outcome, d.Identity = SourceIP, nil
	}
}

// judge looks up what was presented, and decides by what is known of it now.
func (p *Policy) judge(d *Decision, ring Keyring, now time.Time) {
	d.Identity = nil
	age, loaded := ring.Age(now)
	if !loaded || age > p.MaxStaleness {
		d.stale()
		return
	}
	key, standing := ring.Lookup(d.digest)
	d.Credential = key.ID
	vendor := p.vendorOf(key)
	// An operator may have minted it, prolonged or enabled it, or added the address meanwhile.
	outdated := age > maxUnknownAge
	switch {
	case standing == keyring.Unknown && outdated:
		d.stale()
	case standing == keyring.Unknown:
		d.Outcome = Unknown
	case standing == keyring.Revoked:
		d.Outcome = Revoked
	case key.Kind != d.Kind:
		d.Outcome = WrongKind
	case key.ExpiresAt != 0 && ring.ServerTime(now).UnixMilli() >= key.ExpiresAt:
		d.Outcome = Expired
		if outdated {
			d.stale()
		}
	case key.Disabled:
		d.Outcome = Disabled
		if outdated {
			d.stale()
		}
	case d.Kind == credential.KindWebhook && key.Vendor != d.found.vendor:
		d.Outcome = Vendor
	case !p.Serves(key.Tenant):
		d.Outcome = WrongTenant
	case key.Proves && key.Proof == nil:
		d.Vendor = key.Vendor
		d.unsealable()
	case !vendor.Either && !allowedFrom(vendor.AllowIPs, d.peer.Client):
		d.Outcome = SourceIP
	case !allowedFrom(key.AllowedIPs, d.peer.Client):
		d.Outcome = SourceIP
		if outdated {
			d.stale()
		}
	case !d.route.permits(key.Identity):
		d.Outcome = Scope
	default:
		d.Outcome, d.Identity, d.ExpiresAt = Allowed, key.Identity, key.ExpiresAt
		d.Vendor, d.vendor, d.proofs = key.Vendor, vendor, vendor.Proof
		if key.Proof != nil {
			d.proofs = key.Proof
		}
		// Where no addresses are named, none is enough.
		d.unaddressed = vendor.Either && (len(vendor.AllowIPs) == 0 || !allowedFrom(vendor.AllowIPs, d.peer.Client))
	}
}

func (d *Decision) stale() { d.Outcome, d.RetryAfter = Stale, staleRetryAfter }

func (p *Policy) route(path string) (*Route, match) {
	for i := range p.Routes {
		if m, ok := p.Routes[i].match(path); ok {
			return &p.Routes[i], m
		}
	}
	return nil, match{}
}
