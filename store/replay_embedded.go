package store

import (
	"errors"
	"sync"
	"time"
)

// maxReplays bounds the events that the embedded store remembers, about 150 bytes each.
const maxReplays = 1 << 17

var errManyEvents = errors.New("too many events are remembered already")

// events are those that the embedded store remembers.
type events struct {
	mu    sync.Mutex
	known map[string]knownEvent
	swept time.Time
}

type knownEvent struct {
	mark   string // of the request that delivers it; "" once it is delivered
	status int
	until  time.Time
}

func (e *events) claim(keys []string, mark string, now time.Time) (EventState, int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, key := range keys {
		switch known, ok := e.known[key]; {
		case !ok || !now.Before(known.until):
		case known.mark != "":
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
		e.known[key] = knownEvent{mark: mark, until: now.Add(inFlight)}
	}
	return EventNew, 0, nil
}

// settle keeps an event as delivered until then, or forgets it where that is zero.
func (e *events) settle(keys []string, mark string, status int, until time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, key := range keys {
		switch {
		case !until.IsZero():
			e.known[key] = knownEvent{status: status, until: until}
		case e.known[key].mark == mark:
			delete(e.known, key)
		}
	}
}
