package guard

import (
	"strings"
	"time"

	"github.com/hookgate/hookgate/proof"
	"github.com/hookgate/hookgate/proof/clientcert"
)

// Results of a proof beyond those of package proof.
const (
	Duplicate  proof.Result = "duplicate"  // proven, and delivered before
	Unsealable proof.Result = "unsealable" // nobody can tell: what it is verified by is not at hand
	Unenforced proof.Result = "unenforced" // it fails, and refuses nothing
)

// ProofResults returns all of them.
func ProofResults() []proof.Result {
	return []proof.Result{
		proof.OK, proof.OldSecret, proof.Missing, proof.Malformed, proof.TimestampOld, proof.TimestampNew, proof.Mismatch,
		clientcert.Missing, clientcert.Malformed, clientcert.Expired, clientcert.Untrusted, clientcert.Subject,
		Duplicate, Unsealable, Unenforced,
	}
}

// message returns the request of a decision as a proof sees it.
func (p *Policy) message(d *Decision, header map[string][]string) *proof.Message {
	m := &proof.Message{
		Method: d.method, Path: d.path, RawQuery: strings.TrimPrefix(d.query, "?"), Header: header, Arrived: d.arrived,
	}
	if p.PublicURL != nil {
		m.PublicURL = p.PublicURL()
	}
	return m
}

// Handshake answers a request that passes, or is a probe, where it is one by which the
// vendor finds out whether its events are wanted here. The answer is in the decision then.
// It has the body read where the kind of handshake needs it; its errors are those of the
// reading.
func (p *Policy) Handshake(d *Decision, header map[string][]string, body Body) error {
	if d.vendor == nil || d.vendor.Challenge == nil || d.Outcome != Allowed && d.Outcome != Probe {
		return nil
	}
	challenge, m := d.vendor.Challenge, p.message(d, header)
	if challenge.NeedsBody(m) {
		held, err := body.Hold()
		if err != nil {
			return d.unread(err)
		}
		m.Body = held
	}
	answer, is := challenge.Answer(m, d.proofs)
	switch {
	case !is && d.challenging: // only a handshake may have this method
		d.Outcome, d.Allow = Method, d.route.allow()
	case !is && d.Outcome == Probe && d.unaddressed:
		d.Outcome = SourceIP // it brings no proof
	case !is:
	case !answer.Result.Proven():
		d.Outcome, d.Proof, d.Reason = BadSignature, answer.Result, answer.Result
	case d.unaddressed && !challenge.proves():
		d.Outcome = SourceIP
	default:
		d.Outcome, d.Answer = Probe, &answer
	}
	return nil
}

// prove judges whether an allowed request is its vendor's.
func (p *Policy) prove(d *Decision, header map[string][]string, body Body) error {
	if d.proofs == nil || d.vendor.Either && !d.unaddressed && d.vendor.Replay == 0 {
		return nil
	}
	m := p.message(d, header)
	if d.proofs.NeedsURL() && m.PublicURL == "" {
		d.unsealable()
		return nil
	}
	verdict, err := verdictOn(d.proofs, m, body)
	if err != nil {
		return err
	}
	switch {
	case verdict.Result.Proven():
		if d.unaddressed = false; d.Proof != Unenforced { // its certificate is not the vendor's
			d.Proof = verdict.Result
		}
		if d.vendor.Replay > 0 {
			d.Event, d.Replay = d.proofs.Event(m, verdict), d.vendor.Replay
		}
	case d.vendor.Either && !d.unaddressed: // its address is enough
	case d.vendor.Unenforced:
		d.Proof, d.Reason = Unenforced, verdict.Result
	default:
		d.Outcome, d.Proof, d.Reason, d.Refuse = BadSignature, verdict.Result, verdict.Result, verdict.Refuse
	}
	if d.Outcome == Allowed && d.unaddressed {
		d.Outcome = SourceIP
	}
	return nil
}

// verdictOn judges a message. A body that is still to come is read only where nothing in the
// head speaks against it.
func verdictOn(proofs proof.Any, m *proof.Message, body Body) (proof.Verdict, error) {
	if !body.AtHand() {
		if head := proofs.Head(m); head.Result != proof.OK {
			return head, nil
		}
	}
	if proofs.NeedsBody() {
		held, err := body.Hold()
		if err != nil {
			return proof.Verdict{}, err
		}
		m.Body = held
	}
	verdict := proofs.Verify(m)
	if !verdict.Result.Proven() && body.AtHand() {
		// What the head alone says is the reason, as it is of a body that was not read.
		if head := proofs.Head(m); head.Result != proof.OK {
			return head, nil
		}
	}
	return verdict, nil
}

// unsealable leaves it open whether a request is its vendor's: what would tell cannot be
// read here.
func (d *Decision) unsealable() {
	d.Outcome, d.RetryAfter, d.Proof, d.Reason = Stale, unsealableRetryAfter, Unsealable, Unsealable
}

// unsealableRetryAfter is long: an operator has to see to it.
const unsealableRetryAfter = time.Minute
