package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
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
	// keyring's freshness is proved; half as often while changes come. A change itself
	// arrives at once.
	pollInterval = 500 * time.Millisecond
	probeTimeout = time.Second
	tailBatch    = 1000

	// wakeCost is twice what Redis has to do to tell one sidecar of a change, and maxPace
	// bounds how long a change may wait for others.
	wakeCost = 40 * time.Microsecond
	maxPace  = 100 * time.Millisecond

	minBackoff = 20 * time.Millisecond
	maxBackoff = time.Second
)

// errResync asks for a snapshot: the ledger does not continue what is known.
type errResync struct {
	reason ResyncReason
	first  bool // the data set begins; there was none to continue
}

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
	// snapshot is what is being read, nil while nothing is.
	snapshot *snapshot
	// spreadFirst: a data set that has just begun is read by all sidecars at once, too.
	spreadFirst bool
	// brokenLedger is the epoch whose ledger does not lead from its first change to now.
	brokenLedger string
	herd         *herd
	loadedOnce   sync.Once
	woken        time.Time // when the last change arrived
	// unasserted are revocations that Redis has lost and has to be told again.
	unasserted map[credential.Digest]uuid.UUID
	// jitter draws a delay up to its argument.
	jitter func(time.Duration) time.Duration

	up      atomic.Bool
	lag     atomic.Int64
	resyncs [len(resyncReasons)]atomic.Uint64
	retries atomic.Uint64 // round trips of a snapshot that were made again
}

func newFollower(s *Store) *follower {
	return &follower{store: s, herd: newHerd(), jitter: func(limit time.Duration) time.Duration { return rand.N(limit + 1) }}
}

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
		var pause time.Duration
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
			need = resync.reason
			if resync.first {
				f.spreadFirst = true
				continue
			}
			f.store.log().Warn("keyring does not continue the ledger; reading it anew", "reason", string(need))
			pause = f.spread()
		case ctx.Err() == nil:
			b.tail.Failed(ctx, err)
			if f.up.Swap(false) || backoff == minBackoff {
				message := "cannot follow Redis; the keyring serves until it is too old"
				if _, loaded := f.store.keyring.Age(f.store.clock.Local()); !loaded {
					message = "cannot load the credentials from Redis; until that is done every decision is 503"
				}
				f.store.log().Error(message, "error", err)
			}
		}
		if pause == 0 {
			backoff = min(maxBackoff, minBackoff+f.jitter(3*backoff))
			pause = backoff
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// follow waits for changes for one poll interval, applies them, and proves the
// keyring fresh.
//
// Everything goes through the tail's own connections: the proof is of the server that
// the changes come from, and does not queue behind commands of operators, or behind
// connections of theirs that a firewall has forgotten.
func (f *follower) follow(ctx context.Context, b *backend) error {
	node, err := b.tail.Node(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	deadline := began.Add(pollInterval)
	for {
		wait := time.Until(deadline)
		if wait < time.Millisecond { // Redis takes a block of 0 as "for ever"
			break
		}
		n, err := f.ledger.read(ctx, node, wait, tailBatch)
		if err != nil {
			return err
		}
		if n > 0 {
			if err := f.pace(ctx); err != nil {
				return err
			}
			// What Redis did for this change it need not do again so soon for a proof.
			deadline = time.Now().Add(min(pollInterval, time.Until(began.Add(2*pollInterval))))
		}
	}
	committed := f.store.keyring.LastCommitted()
	now, sent, err := f.probe(ctx, node)
	if err != nil {
		return err
	}
	if f.store.keyring.KnownEpoch() != f.ledger.at.epoch {
		return errResync{reason: ResyncEpoch, first: true} // a commit of ours began it
	}
	if err := f.catchUp(ctx, node, now); err != nil {
		return err
	}
	if committed > now.Seq {
		return errResync{reason: ResyncFork}
	}
	f.store.keyring.MarkFresh(sent)
	f.reassert(ctx)
	if err := b.writable(); err != nil {
		// The keyring is as fresh as ever: memory is the data set. Changes are another matter.
		if f.up.Swap(false) {
			f.store.log().Error("changes cannot be written; what is known goes on deciding", "error", err)
		}
		return nil
	}
	if !f.up.Swap(true) {
		credentials := 0
		for _, kind := range credential.KindCodes {
			credentials += f.store.keyring.Count(kind)
		}
		f.store.log().Info("following Redis", "credentials", credentials)
	}
	return nil
}

// pace holds this sidecar back where changes come so fast that to wake every sidecar for
// each of them would be half of what Redis can do: the next ones then come together. Few
// sidecars never wait.
func (f *follower) pace(ctx context.Context) error {
	last := f.woken
	f.woken = time.Now()
	pause := min(time.Duration(f.herd.size.Load())*wakeCost, maxPace)
	if pause < time.Millisecond || f.woken.Sub(last) > pause {
		return nil
	}
	err := sleep(ctx, pause)
	f.woken = time.Now()
	return err
}

// catchUp follows the ledger up to m. An epoch that an operator declared over the same
// history, which the chain shows, is entered without reading anything anew. A data set
// without a change since it was restored, or emptied, has no head, and shows nothing.
func (f *follower) catchUp(ctx context.Context, node *redis.Client, m keyring.Meta) error {
	known := f.ledger.at.epoch
	if m.Epoch == known || m.Epoch == "" || m.Head == "" || known == "" || len(f.unasserted) > 0 || !f.store.keyring.Adopts(m) {
		return f.ledger.catchUp(ctx, node, m)
	}
	same := m
	same.Epoch = known
	err := f.ledger.catchUp(ctx, node, same)
	var broken errResync
	switch {
	case errors.As(err, &broken):
		return errResync{reason: ResyncEpoch}
	case err != nil:
		return err
	}
	f.store.keyring.EnterEpoch(m.Epoch)
	f.ledger.at.epoch = m.Epoch
	f.store.log().Info("a new epoch was declared over the same credentials", "sequence", m.Seq)
	return nil
}

// applyLive applies a ledger entry to the serving keyring.
func (f *follower) applyLive(c keyring.Change, streamID string) error {
	intact := f.store.keyring.ApplyLedger(c)
	if written, ok := streamTime(streamID); ok {
		f.lag.Store(int64(max(0, f.store.clock.Now().Sub(written))))
	}
	if !intact {
		return errResync{reason: ResyncFork}
	}
	return nil
}
