package gate

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

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

const (
	headerDuplicate  = "X-Hookgate-Duplicate"
	runningRetryTime = time.Second
)

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

// duplicate answers an event that was delivered before as it was answered then, without
// the body.
func (x *exchange) duplicate() error {
	status, body := x.Seen.Status, ""
	if success := x.Decision.Success(); success != nil {
		status, body = success.Status, success.Body
	}
	x.log("an event was delivered before", status)
	x.w.Header().Set(headerDuplicate, "true")
	return x.brief(status, textPlain, []byte(body))
}

// handshake answers a handshake of the vendor's.
func (x *exchange) handshake() error {
	answer := x.Decision.Answer
	for name, value := range answer.Header {
		x.w.Header().Set(name, value)
	}
	x.log("a handshake", answer.Status)
	return x.brief(answer.Status, answer.ContentType, answer.Body)
}

func (x *exchange) log(message string, status int) {
	d := &x.Decision
	x.Logger.Info(message, zap.String("request_id", x.id), zap.Int("status", status), zap.String("outcome", string(d.Outcome)),
		zap.String("route", d.Template), zap.String("vendor", d.Vendor), zap.Stringer("credential", d.Credential))
}

const textPlain = "text/plain; charset=utf-8"

// brief writes an answer of ours that is no problem. What is echoed in it must not be taken
// by a browser for anything but what it is said to be.
func (x *exchange) brief(status int, contentType string, body []byte) error {
	settled := settle(x.w, x.r, x.raw)
	header := x.w.Header()
	header.Set("Cache-Control", "no-store")
	identify(header, status, x.id)
	if len(body) > 0 {
		header.Set("Content-Type", contentType)
		header.Set("X-Content-Type-Options", "nosniff")
	}
	x.w.WriteHeader(status)
	var err error
	if len(body) > 0 && status != http.StatusNoContent {
		_, err = x.w.Write(body)
	}
	if !settled {
		linger(x.w, x.r, x.raw)
	}
	return err
}
