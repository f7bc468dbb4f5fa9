package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

const (
	// replayTimeout bounds how long a request waits for Redis, before and after.
	replayTimeout = 250 * time.Millisecond
	// inFlight bounds how long an event is taken for under way whose process ended.
	inFlight = time.Minute
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
	mark   string // the value of the keys while the event is under way
	window time.Duration
	ended  atomic.Bool // it is no longer one of the store's claims
}

// ClaimEvent takes an event of a credential, by any of its names, for who is about to
// deliver it. The status is that of the answer to a delivered one. With the embedded store
// it is known within the process, else by all that share the data set. It returns within
// a bounded time; an error means that nobody can tell. Where there is a claim beside it, that
// may have come through, and is to be settled all the same.
func (s *Store) ClaimEvent(ctx context.Context, credential uuid.UUID, names []string, window time.Duration) (*EventClaim, EventState, int, error) {
	claim := &EventClaim{store: s, keys: make([]string, len(names)), mark: newMark(), window: window}
	for i, name := range names {
		claim.keys[i] = s.keys.event(credential, name)
	}
	if s.config.EmbeddedDir != "" {
		state, status, err := s.events.claim(claim.keys, claim.mark, s.clock.Local())
		if err != nil {
			return nil, state, status, err
		}
		return claim, state, status, nil
	}
	s.claims.begin()
	state, status, err := claim.take(ctx)
	if err == nil && state != EventNew || errors.Is(err, errEvent) {
		claim.end()
		return nil, state, status, err
	}
	return claim, EventNew, 0, err
}

// Done remembers that the event was delivered. It returns when Redis has it: the vendor may
// send the event again, to another process, right behind our answer.
func (c *EventClaim) Done(ctx context.Context, status int) error {
	if s := c.store; s.config.EmbeddedDir != "" {
		s.events.settle(c.keys, c.mark, status, s.clock.Local().Add(c.window))
		return nil
	}
	defer c.end()
	if len(c.keys) == 1 {
		return c.send(ctx, time.Now(), redis.NewStatusCmd(ctx, "set", c.keys[0], valueDone+strconv.Itoa(status), "px", c.window.Milliseconds()))
	}
	_, err := c.run(ctx, "done", c.window, status)
	return err
}

// Free lets the event be delivered again.
func (c *EventClaim) Free(ctx context.Context) error {
	if s := c.store; s.config.EmbeddedDir != "" {
		s.events.settle(c.keys, c.mark, 0, time.Time{})
		return nil
	}
	defer c.end()
	_, err := c.run(ctx, "free", 0, 0)
	return err
}

// end is called when nothing more is said of the event, once or more often.
func (c *EventClaim) end() {
	if !c.ended.Swap(true) {
		c.store.claims.end()
	}
}

// What the value of an event's key begins with, in lua/replay.lua, too. Behind it is a random
// number of the claim, or the status of the answer.
const (
	valueRunning = "r"
	valueDone    = "d"
)

func newMark() string {
	var random [16]byte
	rand.Read(random[:])
	mark := make([]byte, 0, len(valueRunning)+2*len(random))
	return string(hex.AppendEncode(append(mark, valueRunning...), random[:]))
}

var errEvent = errors.New("what is remembered of the event is not understood")

// take claims the event in Redis. Where it has one key, as most have, that is a command and
// no script, which costs Redis several times as much.
func (c *EventClaim) take(ctx context.Context) (EventState, int, error) {
	if len(c.keys) != 1 {
		found, err := c.run(ctx, "claim", inFlight, 0)
		if err != nil {
			return EventNew, 0, err
		}
		return c.judge(found)
	}
	// Redis 7.0 and Valkey 8.0, the oldest that we work with, take NX together with GET.
	set := redis.NewStringCmd(ctx, "set", c.keys[0], c.mark, "nx", "get", "px", inFlight.Milliseconds())
	if err := c.send(ctx, time.Now(), set); err != nil {
		return EventNew, 0, err
	}
	return c.judge(set.Val())
}

// judge says what the value of an event's key, "" for none, means for this claim.
func (c *EventClaim) judge(value string) (EventState, int, error) {
	text, done := strings.CutPrefix(value, valueDone)
	switch {
	case value == "", value == c.mark: // its own: it was sent again, because the answer was lost
		return EventNew, 0, nil
	case strings.HasPrefix(value, valueRunning):
		return EventRunning, 0, nil
	case !done:
		return EventNew, 0, errEvent
	}
	status, err := strconv.Atoi(text)
	if err != nil {
		return EventNew, 0, errEvent
	}
	return EventDone, status, nil
}

// run runs the script, and returns its reply.
func (c *EventClaim) run(ctx context.Context, what string, life time.Duration, status int) (string, error) {
	began := time.Now()
	reply, err := c.ask(ctx, began, "evalsha", replayScript.Hash(), what, life, status)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		return c.ask(ctx, began, "eval", replayScript.Source, what, life, status)
	}
	return reply, err
}

func (c *EventClaim) ask(ctx context.Context, began time.Time, command, script, what string, life time.Duration, status int) (string, error) {
	args := make([]any, 0, 7+len(c.keys))
	args = append(args, command, script, len(c.keys))
	for _, key := range c.keys {
		args = append(args, key)
	}
	args = append(args, what, c.mark, life.Milliseconds(), status)
	cmd := redis.NewStringCmd(ctx, args...)
	if err := c.send(ctx, began, cmd); err != nil {
		return "", err
	}
	return cmd.Val(), nil
}

// send sends a command to Redis, together with those of other requests, and waits no longer
// than replayTimeout after it began. It is no error that there is no value.
func (c *EventClaim) send(ctx context.Context, began time.Time, cmd redis.Cmder) error {
	b, err := c.store.backend()
	if err != nil {
		return err
	}
	if err := c.store.batches.do(ctx, b.commands, began, cmd); err != nil && !errors.Is(err, redis.Nil) {
		return unavailable("remember an event", err)
	}
	return nil
}
