package store

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	// replayTimeout bounds how long a request waits for Redis, before and after.
	replayTimeout = 250 * time.Millisecond
	// inFlight bounds how long an event is taken for under way whose process ended.
	inFlight = time.Minute
	// maxReplays bounds the events that the embedded store remembers, about 150 bytes each.
	maxReplays = 1 << 17
)

// EventState is what is known of an event.
type EventState uint8

// The states of an event.
const (
	EventNew EventState = iota
	EventRunning
	EventDone
)

// EventClaim is an event that is being delivered.
type EventClaim struct {
	store  *Store
	keys   []string
	nonce  string
	window time.Duration
}

var errManyEvents = errors.New("too many events are remembered already")

// ClaimEvent takes an event of a credential, by any of its names, for who is about to
// deliver it. The status is that of the answer to a delivered one. With the embedded store
// it is known within the process, else by all that share the data set. It returns within
// a bounded time; an error means that nobody can tell.
func (s *Store) ClaimEvent(ctx context.Context, credential uuid.UUID, names []string, window time.Duration) (*EventClaim, EventState, int, error) {
	claim := &EventClaim{store: s, nonce: randomHex(), window: window}
	for _, name := range names {
		claim.keys = append(claim.keys, s.keys.event(credential, name))
	}
	if s.config.EmbeddedDir != "" {
		state, status, err := s.events.claim(claim.keys, claim.nonce, s.clock.Local())
		return claim, state, status, err
	}
	reply, err := claim.run(ctx, "claim", inFlight, 0)
	if err != nil {
		return nil, EventNew, 0, err
	}
	fields, _ := reply.([]any)
	word, _ := first(fields)
	switch word {
	case "NEW":
		return claim, EventNew, 0, nil
	case "RUNNING":
		return nil, EventRunning, 0, nil
	case "DONE":
		text, _ := fields[len(fields)-1].(string)
		status, err := strconv.Atoi(text)
		return nil, EventDone, status, err
	}
	return nil, EventNew, 0, errors.New("an unexpected reply to the claim of an event")
}

func first(fields []any) (string, bool) {
	if len(fields) == 0 {
		return "", false
	}
	word, ok := fields[0].(string)
	return word, ok
}

// Done remembers that the event was delivered.
func (c *EventClaim) Done(ctx context.Context, status int) error {
	if s := c.store; s.config.EmbeddedDir != "" {
		s.events.settle(c.keys, c.nonce, status, s.clock.Local().Add(c.window))
		return nil
	}
	_, err := c.run(ctx, "done", c.window, status)
	return err
}

// Free lets the event be delivered again.
func (c *EventClaim) Free(ctx context.Context) error {
	if s := c.store; s.config.EmbeddedDir != "" {
		s.events.settle(c.keys, c.nonce, 0, time.Time{})
		return nil
	}
	_, err := c.run(ctx, "free", 0, 0)
	return err
}

func (c *EventClaim) run(ctx context.Context, what string, life time.Duration, status int) (any, error) {
	b, err := c.store.backend()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, replayTimeout)
	defer cancel()
	reply, err := b.scripts.Run(ctx, replayScript, 0, c.keys, []any{what, c.nonce, life.Milliseconds(), status})
	if err != nil {
		return nil, unavailable("remember an event", err)
	}
	return reply, nil
}

// events are those that the embedded store remembers.
type events struct {
	mu    sync.Mutex
	known map[string]knownEvent
	swept time.Time
}

type knownEvent struct {
	nonce  string // of the request that delivers it; "" once it is delivered
	status int
	until  time.Time
}

func (e *events) claim(keys []string, nonce string, now time.Time) (EventState, int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, key := range keys {
		switch known, ok := e.known[key]; {
		case !ok || !now.Before(known.until):
		case known.nonce != "":
			return EventRunning, 0, nil
		default:
			return EventDone, known.status, nil
		}
	}
	if now.Sub(e.swept) > inFlight || len(e.known) >= maxReplays {
		e.swept = now
		for key, known := range e.known {
			if !now.Before(known.until) {
				delete(e.known, key)
			}
		}
	}
	if len(e.known)+len(keys) > maxReplays {
		return EventNew, 0, errManyEvents
	}
	if e.known == nil {
		e.known = make(map[string]knownEvent)
	}
	for _, key := range keys {
		e.known[key] = knownEvent{nonce: nonce, until: now.Add(inFlight)}
	}
	return EventNew, 0, nil
}

// settle keeps an event as delivered until then, or forgets it where that is zero.
func (e *events) settle(keys []string, nonce string, status int, until time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, key := range keys {
		switch {
		case !until.IsZero():
			e.known[key] = knownEvent{status: status, until: until}
		case e.known[key].nonce == nonce:
			delete(e.known, key)
		}
	}
}
