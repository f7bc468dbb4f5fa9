package store

import (
	"context"
	"errors"
	"slices"

	"github.com/redis/go-redis/v9"
)

// resync reads all digests into a new index, replays the ledger over what changed
// meanwhile, and installs it. The old index serves until then, and is not proved fresh
// by anything read so far: what the ledger does not tell any more may be a revocation.
func (f *follower) resync(ctx context.Context, b *backend, reason ResyncReason) error {
	for {
		node, err := b.tail.Node(ctx)
		if err != nil {
			return err
		}
		if f.snapshot == nil {
			s, err := f.begin(ctx, b, node, f.spreadFirst)
			if err != nil {
				return err
			}
			f.snapshot, f.spreadFirst = s, false
		}
		s := f.snapshot
		if err = f.fill(ctx, b, node, s); err == nil {
			err = f.finish(ctx, b, node, s, reason)
		}
		var broken errResync
		switch {
		case err == nil, errors.Is(err, errDataGone):
			f.snapshot = nil
			return err
		case errors.As(err, &broken) && s.links != nil:
			f.logReplica(err)
			s.restart()
		case errors.As(err, &broken), errors.Is(err, errUselessCopy):
			f.snapshot = nil
			switch s.source {
			case fromLedger:
				f.brokenLedger = s.ledger.at.epoch
			case fromCopy:
				f.herd.useless = s.copied.id
			default:
				return err
			}
		default:
			f.retries.Add(1)
			return err
		}
	}
}

// fill reads what is still missing.
func (f *follower) fill(ctx context.Context, b *backend, node *redis.Client, s *snapshot) error {
	if b.openReplica != nil && !s.triedReplica && (s.source == fromBuckets || s.source == fromCopy) {
		s.triedReplica = true
		err := f.fillFromReplica(ctx, b, s)
		if err == nil || ctx.Err() != nil {
			return err
		}
		f.logReplica(err)
	}
	switch s.source {
	case fromBuckets:
		return f.readBuckets(ctx, b, node, s)
	case fromCopy:
		return f.readCopy(ctx, node, s)
	}
	return nil
}

// finish completes a snapshot from the ledger and lets it serve.
func (f *follower) finish(ctx context.Context, b *backend, node *redis.Client, s *snapshot, reason ResyncReason) error {
	ring := f.store.keyring
	after, sent, err := f.probe(ctx, node)
	if err != nil {
		return err
	}
	if err := s.ledger.catchUp(ctx, node, after); err != nil {
		return err
	}
	if len(s.links) > 0 { // the replica was at a change that the master does not have
		return errResync{reason: ResyncFork}
	}
	if err := f.readAgain(ctx, node, s); err != nil {
		return err
	}
	if err := f.buryMissed(ctx, node, ring.Missing(s.idx)); err != nil {
		return err
	}
	at := s.ledger.at
	var chunks [][]byte
	size := s.idx.Size()
	if s.lead != "" { // as Redis has it, before what is revoked here in spite of it is taken out
		chunks = s.idx.Copy(chunkSize)
	}
	lost := ring.Install(s.idx, at.seq)
	ring.MarkFresh(sent)
	s.ledger.apply = f.applyLive
	f.ledger = s.ledger
	f.unasserted = lost
	if len(lost) > 0 {
		f.store.log().Error("Redis has lost revocations; they hold here and are written again", "credentials", len(lost))
	}
	if s.lead != "" {
		f.store.running.Go(func() { f.leaveCopy(ctx, b, s.lead, at, size, chunks) })
	}
	f.resyncs[slices.Index(resyncReasons[:], reason)].Add(1)
	f.up.Store(true)
	f.loadedOnce.Do(func() { close(f.herd.loaded) })
	f.store.log().Info("keyring loaded", "reason", string(reason), "sequence", at.seq)
	return nil
}
