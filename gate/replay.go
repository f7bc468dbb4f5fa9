package gate

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/proof"
)

// Replays remembers the events that were delivered.
type Replays interface {
	// Claim takes an event of a credential for the request that delivers it. It is waited
	// for, and so must take a bounded time. Where nobody can tell whether the event was
	// delivered, it lets the request through: an event that is lost is worse than one that
	// comes twice. The claim is nil where the event was seen, or nothing of it can have been
	// noted. The request's id is for the log.
	Claim(requestID string, credential uuid.UUID, event proof.Event, window time.Duration) (Claim, Seen)
}

// Seen is what is known of an event that was claimed before.
type Seen struct {
	// Status is that of the answer to the request that delivered it; 0 for none.
	Status int
	// Running: a request with it is under way.
	Running bool
	// Unchecked: nobody can tell.
	Unchecked bool
}

// before reports whether the event is known.
func (s Seen) before() bool { return s.Running || s.Status != 0 }

// result says in a word what became of a claim.
func (s Seen) result() string {
	switch {
	case s.Running:
		return "running"
	case s.Unchecked:
		return "unchecked"
	case s.before():
		return "delivered"
	}
	return "new"
}

// Claim is an event that a request is about to deliver. One of its methods is called, once.
type Claim interface {
	// Done remembers that the event was delivered, and with which status.
	Done(status int)
	// Free lets the event be delivered by another request.
	Free()
}

// runningRetryTime is what a vendor is told to wait while its event is under way.
const runningRetryTime = time.Second

// ClaimEvent keeps an event that was delivered, or is under way, from being delivered again.
func (g *Gate) ClaimEvent(b *Begun, requestID string) {
	d := &b.Decision
	if d.Replay == 0 || g.Replays == nil || d.Event == (proof.Event{}) {
		return
	}
	began := b.Spans.Now()
	b.Claim, b.Seen = g.Replays.Claim(requestID, d.Credential, d.Event, d.Replay)
	b.Spans.Replay(began, b.Seen.result())
	if !b.Seen.before() {
		return
	}
	*d = *d.Refused(guard.Replayed)
	d.Proof = guard.Duplicate
	if b.Seen.Running {
		d.RetryAfter = runningRetryTime
	}
}

// Answered notes with which status the upstream has answered: with a success it has taken the
// event, and with another one the vendor may send it again right behind the answer.
func (b *Begun) Answered(status int) {
	if b.Claim != nil && status < http.StatusMultipleChoices {
		b.Claim.Done(status)
		b.Claim = nil
	}
	b.Undelivered()
}

// Undelivered gives an event back that the upstream has not taken.
func (b *Begun) Undelivered() {
	if b.Claim != nil {
		b.Claim.Free()
		b.Claim = nil
	}
}
