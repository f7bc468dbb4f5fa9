package handlers

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/proof"
	"github.com/hookgate/hookgate/store"
)

var replaysUnchecked = prometheus.NewCounter(prometheus.CounterOpts{
	Name: "hookgate_replays_unchecked_total",
	Help: "Events that were delivered although nobody could tell whether they had been before.",
})

// replays is a store, as a gate sees it.
type replays struct {
	store  *store.Store
	logger *zap.Logger
}

// Claim implements gate.Replays.
func (r replays) Claim(requestID string, credential uuid.UUID, event proof.Event, window time.Duration) (gate.Claim, gate.Seen) {
	names := make([]string, 0, 2)
	for _, name := range []string{event.ID, event.Signed} {
		if name != "" {
			names = append(names, name)
		}
	}
	claim, state, status, err := r.store.ClaimEvent(context.Background(), credential, names, window)
	claimed := &eventClaim{claim, r.logger, requestID, credential}
	switch {
	case err != nil:
		replaysUnchecked.Inc()
		claimed.warn("an event is delivered without knowing whether it was before", err)
		if claim == nil {
			return nil, gate.Seen{Unchecked: true}
		}
		return claimed, gate.Seen{Unchecked: true}
	case state == store.EventRunning:
		return nil, gate.Seen{Running: true}
	case state == store.EventDone:
		return nil, gate.Seen{Status: status}
	}
	return claimed, gate.Seen{}
}

type eventClaim struct {
	*store.EventClaim
	logger     *zap.Logger
	requestID  string
	credential uuid.UUID
}

// Done implements gate.Claim.
func (c *eventClaim) Done(status int) {
	if err := c.EventClaim.Done(context.Background(), status); err != nil {
		c.warn("a delivered event could not be remembered", err)
	}
}

// Free implements gate.Claim.
func (c *eventClaim) Free() {
	if err := c.EventClaim.Free(context.Background()); err != nil {
		c.warn("an event that was not delivered counts as under way for a minute", err)
	}
}

// warn does without Logger.With: format hookgate masks what comes that way.
func (c *eventClaim) warn(message string, err error) {
	c.logger.Warn(message, zap.String("request_id", c.requestID), zap.Stringer("credential", c.credential), zap.Error(err))
}
