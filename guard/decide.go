package guard

import (
	"net/netip"
	"time"

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
	// Upgrade: the client asks for another protocol.
	Upgrade bool
	// Unframed: nothing that counts says how long the body is.
	Unframed bool
	// Client is the address of the client, IPv4 as such and without a zone; the zero
	// Addr where it is unknown.
	Client netip.Addr
	// ContentLength is the declared length of the body in bytes, -1 if unknown.
	ContentLength int64
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
	// Vendors are further conditions on webhooks, by the vendor in the path.
	Vendors map[string]VendorPolicy
	// ForwardToken: the upstream checks the token again, so that it stays in the path.
	ForwardToken bool
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
func (p *Policy) Decide(req *Request, ring Keyring, now time.Time) Decision {
	path, query := splitTarget(req.Target)
	if !validMethod(req.Method) || !canonicalPath(path) || !cleanQuery(query) || len(req.Tokens) > 1 || req.Upgrade || req.Unframed {
		return Decision{Outcome: Ambiguous}
	}
	route, found := p.route(path)
	if route == nil {
		return Decision{Outcome: NoRoute}
	}
	d := Decision{Kind: route.kind, Template: route.template}
	if ambiguous(route, path, req) || p.shadowed(route, path) {
		d.Outcome = Ambiguous
		return d
	}

	probe := false
	switch {
	case req.Method == "POST":
	case route.kind == credential.KindAPI && apiMethod(req.Method):
	case route.kind == credential.KindWebhook && (req.Method == "GET" || req.Method == "HEAD"):
		probe = true
	default:
		d.Outcome, d.Allow = Method, route.allow()
		return d
	}
	if req.ContentLength > p.MaxBody {
		d.Outcome = TooLarge
		return d
	}

	digest, outcome := presented(route, found.token, req)
	if outcome != "" {
		d.Outcome = outcome
		if outcome == WrongKind {
			key, _ := ring.Lookup(digest) // for the log only: no answer of it would be another
			d.Credential = key.ID
		}
		return d
	}
	p.authenticate(&d, digest, found.vendor, ring, now)
	if d.Outcome != Allowed {
		return d
	}
	vendor := p.Vendors[found.vendor] // "" on other routes is no vendor
	if !allowedFrom(vendor.AllowIPs, req.Client) {
		d.Outcome, d.Identity = SourceIP, nil
		return d
	}
	if !allowedFrom(d.Identity.AllowedIPs, req.Client) {
		d.Outcome, d.Identity = SourceIP, nil
		if age, _ := ring.Age(now); age > maxUnknownAge { // an operator may have added the address meanwhile
			d.Outcome, d.RetryAfter = Stale, staleRetryAfter
		}
		return d
	}
	if !route.permits(d.Identity) {
		d.Outcome, d.Identity = Scope, nil
		return d
	}
	if probe {
		d.Outcome = Probe
		return d
	}
	d.Signature = vendor.Signature
	d.Path, d.RawPath = route.forward(path, found, &d, p.ForwardToken)
	d.object = found.vendor + found.exception // one of the two
	return d
}

// authenticate looks up what was presented and judges what it finds.
func (p *Policy) authenticate(d *Decision, digest credential.Digest, vendor string, ring Keyring, now time.Time) {
	d.digest, d.vendor = digest, vendor
	age, loaded := ring.Age(now)
	if !loaded || age > p.MaxStaleness {
		d.Outcome, d.RetryAfter = Stale, staleRetryAfter
		return
	}
	key, standing := ring.Lookup(digest)
	d.Credential = key.ID
	switch {
	case standing == keyring.Unknown && age > maxUnknownAge:
		d.Outcome, d.RetryAfter = Stale, staleRetryAfter
	case standing == keyring.Unknown:
		d.Outcome = Unknown
	case standing == keyring.Revoked:
		d.Outcome = Revoked
	case key.Kind != d.Kind:
		d.Outcome = WrongKind
	case key.ExpiresAt != 0 && ring.ServerTime(now).UnixMilli() >= key.ExpiresAt:
		d.Outcome = Expired
		if age > maxUnknownAge { // an operator may have prolonged it meanwhile
			d.Outcome, d.RetryAfter = Stale, staleRetryAfter
		}
	case d.Kind == credential.KindWebhook && key.Vendor != vendor:
		d.Outcome = Vendor
	default:
		d.Outcome, d.Identity, d.ExpiresAt = Allowed, key.Identity, key.ExpiresAt
	}
}

// Recheck decides on an allowed request once more, when its body has arrived: that
// may be long after its header, and the credential have ended since.
func (p *Policy) Recheck(d Decision, ring Keyring, now time.Time) Decision {
	p.authenticate(&d, d.digest, d.vendor, ring, now)
	return d
}

func (p *Policy) route(path string) (*Route, match) {
	for i := range p.Routes {
		if m, ok := p.Routes[i].match(path); ok {
			return &p.Routes[i], m
		}
	}
	return nil, match{}
}
