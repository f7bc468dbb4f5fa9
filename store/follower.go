package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// ResyncReason says why a keyring was read anew.
type ResyncReason string

// The reasons of a resync.
const (
	ResyncBoot  ResyncReason = "boot"  // the first load
	ResyncEpoch ResyncReason = "epoch" // another data set
	ResyncGap   ResyncReason = "gap"   // ledger entries are missing
	ResyncFork  ResyncReason = "fork"  // Redis has another history: lost writes, an old backup
)

var resyncReasons = [...]ResyncReason{ResyncBoot, ResyncEpoch, ResyncGap, ResyncFork}

const (
	// pollInterval is how long one XREAD waits for a change, and so how often the
	// keyring's freshness is proved. A change itself arrives at once.
	pollInterval = 500 * time.Millisecond
	probeTimeout = time.Second
	tailBatch    = 1000

	minBackoff = 20 * time.Millisecond
	maxBackoff = time.Second
)

// errResync asks for a snapshot: the ledger does not continue what is known.
type errResync struct{ reason ResyncReason }

func (e errResync) Error() string { return "resync needed: " + string(e.reason) }

// errDataGone: Redis holds no data set, or one that does not continue the one this
// process knows. The keyring serves until it is too old: an emptied Redis must turn
// into "cannot decide", never into "every token is unknown".
var errDataGone = errors.New("the data set that this process knows is not in Redis")

// follower keeps the keyring equal to Redis: it takes a snapshot, follows the
// ledger, checks every link of its chain, and proves freshness by probes.
type follower struct {
	store  *Store
	ledger *ledgerReader // nil until the first snapshot

	up      atomic.Bool
	lag     atomic.Int64
	resyncs [len(resyncReasons)]atomic.Uint64
}

func newFollower(s *Store) *follower { return &follower{store: s} }

func (f *follower) resyncCounts() map[ResyncReason]uint64 {
	counts := make(map[ResyncReason]uint64, len(resyncReasons))
	for i, reason := range resyncReasons {
		counts[reason] = f.resyncs[i].Load()
	}
	return counts
}

// run follows until ctx ends.
func (f *follower) run(ctx context.Context, b *backend) {
	backoff := minBackoff
	need := ResyncBoot
	for ctx.Err() == nil {
		var err error
		if need != "" {
			if err = f.resync(ctx, b, need); err == nil {
				need = ""
			}
		} else {
			err = f.follow(ctx, b)
		}
		var resync errResync
		switch {
		case err == nil:
			backoff = minBackoff
			continue
		case errors.As(err, &resync):
			f.store.log().Warn("keyring does not continue the ledger; reading it anew", "reason", resync.reason)
			need = resync.reason
		case ctx.Err() == nil:
			if f.up.Swap(false) || backoff == minBackoff {
				f.store.log().Error("cannot follow Redis; the keyring serves until it is too old", "error", err)
			}
		}
		// Jitter, so that sidecars do not come back in step.
		backoff = min(maxBackoff, minBackoff+rand.N(3*backoff))
		select {
		case <-ctx.Done():
		case <-time.After(backoff):
		}
	}
}

// follow waits for changes for one poll interval, applies them, and proves the
// keyring fresh.
func (f *follower) follow(ctx context.Context, b *backend) error {
	deadline := time.Now().Add(pollInterval)
	for {
		wait := time.Until(deadline)
		if wait < time.Millisecond { // Redis takes a block of 0 as "for ever"
			break
		}
		if _, err := f.ledger.read(ctx, b.tail, wait, tailBatch); err != nil {
			return err
		}
	}
	now, sent, err := f.probe(ctx, b.rdb)
	if err != nil {
		return err
	}
	if f.store.keyring.knownEpoch() != f.ledger.at.epoch {
		return errResync{ResyncEpoch} // a commit of ours began the data set
	}
	if err := f.ledger.catchUp(ctx, b.rdb, now); err != nil {
		return err
	}
	f.store.keyring.markFresh(sent)
	if !f.up.Swap(true) {
		f.store.log().Info("following Redis", "credentials", f.store.keyring.Count(KindCallback)+f.store.keyring.Count(KindWebhook))
	}
	return nil
}

// applyLive applies a ledger entry to the serving keyring.
func (f *follower) applyLive(c change, streamID string) error {
	intact := f.store.keyring.applyLedger(c)
	if written, ok := streamTime(streamID); ok {
		f.lag.Store(int64(max(0, f.store.clock.now().Sub(written))))
	}
	if !intact {
		return errResync{ResyncFork}
	}
	return nil
}
