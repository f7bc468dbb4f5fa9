package handlers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/proof"
	"github.com/hookgate/hookgate/store"
)

var (
	proofs = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hookgate_proofs_total",
		Help: "Proofs that vendors sent or should have, by the vendor where the configuration names it, and by what came of them.",
	}, []string{"vendor", "result"})

	replaysUnchecked = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "hookgate_replays_unchecked_total",
		Help: "Events that were delivered although nobody could tell whether they had been before.",
	})
)

// otherVendors is the label of all vendors that no configuration names: no client and no
// operator chooses how many series there are.
const otherVendors = "other"

// proofCounters are the counters of proofs, by vendor and result: finding one by its labels
// costs more than the rest. They live as long as the process.
var proofCounters struct {
	sync.RWMutex
	of map[string]map[proof.Result]prometheus.Counter
}

// countsVendor makes the series of a vendor that a configuration names, all of them: an
// increase from nothing is none to Prometheus.
func countsVendor(name string) {
	proofCounters.Lock()
	defer proofCounters.Unlock()
	if proofCounters.of == nil {
		proofCounters.of = make(map[string]map[proof.Result]prometheus.Counter)
	}
	if proofCounters.of[name] != nil {
		return
	}
	counters := make(map[proof.Result]prometheus.Counter)
	for _, result := range guard.ProofResults() {
		counters[result] = proofs.WithLabelValues(name, string(result))
	}
	proofCounters.of[name] = counters
}

func init() { countsVendor(otherVendors) }

func countProof(vendor string, result proof.Result) {
	proofCounters.RLock()
	counters := proofCounters.of[vendor]
	if counters == nil {
		counters = proofCounters.of[otherVendors]
	}
	proofCounters.RUnlock()
	counters[result].Inc()
}

// provisionProofs tells the policy what vendors post to, and makes their counters.
func (g *Guard) provisionProofs() error {
	for name := range g.Vendors {
		countsVendor(name)
	}
	peers := g.app.Peers()
	g.policy.PublicURL = peers.PublicURL
	if g.PublicURL == "" {
		if g.needsURL != "" {
			peers.NeedsPublicURL(g.needsURL)
		}
		return nil
	}
	url, err := grammar.Resolve("public_url", g.PublicURL)
	if err != nil {
		return err
	}
	if url, err = admin.ParsePublicURL(url, g.PublicURLInsecure); err != nil {
		return fmt.Errorf("hookgate: public_url: %w", err)
	}
	g.policy.PublicURL = func() string { return url }
	return nil
}

// replays is a store, as a gate sees it.
type replays struct {
	store  *store.Store
	logger *zap.Logger
}

// Claim implements gate.Replays.
func (r replays) Claim(requestID string, credential uuid.UUID, event proof.Event, window time.Duration) (gate.Claim, gate.Seen) {
	var names []string
	for _, name := range []string{event.ID, event.Signed} {
		if name != "" {
			names = append(names, name)
		}
	}
	// Not with Logger.With: format hookgate masks what comes that way.
	about := []zap.Field{zap.String("request_id", requestID), zap.Stringer("credential", credential)}
	claim, state, status, err := r.store.ClaimEvent(context.Background(), credential, names, window)
	switch {
	case err != nil:
		replaysUnchecked.Inc()
		r.logger.Warn("an event is delivered without knowing whether it was before", append(about, zap.Error(err))...)
		return nil, gate.Seen{}
	case state == store.EventRunning:
		return nil, gate.Seen{Running: true}
	case state == store.EventDone:
		return nil, gate.Seen{Status: status}
	}
	return &eventClaim{claim, r.logger, about}, gate.Seen{}
}

type eventClaim struct {
	*store.EventClaim
	logger *zap.Logger
	about  []zap.Field
}

// Done implements gate.Claim.
func (c *eventClaim) Done(status int) {
	if err := c.EventClaim.Done(context.Background(), status); err != nil {
		c.logger.Warn("a delivered event could not be remembered", append(c.about, zap.Error(err))...)
	}
}

// Free implements gate.Claim.
func (c *eventClaim) Free() {
	if err := c.EventClaim.Free(context.Background()); err != nil {
		c.logger.Warn("an event that was not delivered counts as under way for a minute", append(c.about, zap.Error(err))...)
	}
}
