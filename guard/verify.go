package guard

import (
	"errors"

	"github.com/hookgate/hookgate/credential"
)

// Body reads the whole body of a request, and keeps it to be sent: what was looked at
// is what will be sent.
type Body interface {
	Hold() ([]byte, error)
	// AtHand reports whether Hold only returns what is in memory already.
	AtHand() bool
}

// Errors of a Body, upon which the request is refused.
var (
	ErrTooLarge = errors.New("the body is larger than Policy.MaxBody")
	ErrUnframed = errors.New("where the body ends cannot be told")
)

// Verify makes those checks on an allowed request, and makes those headers for it, that
// take its body. It has the body read where one of them needs it, and only then: an
// unsigned request need not even send one. Its errors are those of the reading.
func (p *Policy) Verify(d *Decision, header map[string][]string, body Body) error {
	return d.unread(p.verify(d, header, body))
}

// HeadDecides reports whether the decision stands as it is: neither Handshake nor Verify
// would look at anything more of the request.
func (p *Policy) HeadDecides(d *Decision) bool {
	if d.Outcome != Allowed {
		return d.Outcome != Probe
	}
	return p.RequestDecides(d) && d.proofs == nil && (!p.KeyFromBody || d.Kind == credential.KindAPI)
}

// RequestDecides reports whether what is left to do about an allowed request is Verify
// and the claim of its event, and takes nothing but the request itself: no handshake, no
// certificate, and nothing to tell of a proof that fails and is not enforced.
func (p *Policy) RequestDecides(d *Decision) bool {
	if d.Outcome != Allowed || d.Proof != "" || d.unaddressed {
		return false
	}
	v := d.vendor
	return v.ClientCert == nil && v.Challenge == nil && !v.Unenforced
}

// unread refuses a request whose body is a reason for that, and returns any other error.
func (d *Decision) unread(err error) error {
	switch {
	case errors.Is(err, ErrTooLarge):
		*d = *d.Refused(TooLarge)
		return nil
	case errors.Is(err, ErrUnframed):
		*d = *d.Refused(Ambiguous)
		return nil
	}
	return err
}

func (p *Policy) verify(d *Decision, header map[string][]string, body Body) error {
	if err := p.prove(d, header, body); err != nil || d.Outcome != Allowed {
		return err
	}
	// What api credentials are used for is not known here.
	if !p.KeyFromBody || d.Kind == credential.KindAPI {
		return nil
	}
	key, sent := clientIdempotencyKey(header)
	if !sent {
		held, err := body.Hold()
		if err != nil {
			return err
		}
		key = idempotencyKey(d, header, held)
	}
	d.key = key
	return nil
}

// Refused returns the decision on an allowed request whose body turns out to be a reason
// to refuse it.
func (d *Decision) Refused(why Outcome) *Decision {
	refused := *d
	refused.Outcome, refused.Identity = why, nil
	return &refused
}
