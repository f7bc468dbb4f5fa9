package store

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
)

// metaRestored is set in a data set that a restore wrote to: it holds credentials that
// the ledger does not tell of.
const metaRestored = "restored"

// snapshot is an index that is being read. What was read is kept when a round trip fails,
// and the next attempt goes on from there: wherever the reads went, at the end the ledger
// has to lead from the beginning to what Redis then says it is.
type snapshot struct {
	idx    *keyring.Index
	source source
	next   int           // bucket, or chunk of the copy
	ledger *ledgerReader // from where what is read is complete
	// ahead are the digests that were read as of a change after that. Where the ledger
	// does not tell of that change a failover has lost it meanwhile.
	ahead    map[credential.Digest]uint64
	patience time.Duration

	master       position          // from where it is complete if it is read from the master
	triedReplica bool              // it is read from a replica once at most
	links        map[uint64]string // the heads that a replica had while it was read, and the ledger has not shown yet

	copied copied
	lead   string    // the id of the copy that this sidecar makes of it, "" for none
	held   time.Time // when it last said that it still does
}

// source is what a snapshot is read from.
type source int

const (
	fromBuckets source = iota
	fromCopy
	fromLedger  // all of it, from its first entry on
	fromNothing // there is no data set
)

// begin decides what the snapshot is read from, and from where the ledger completes it.
func (f *follower) begin(ctx context.Context, b *backend, node *redis.Client, spread bool) (*snapshot, error) {
	ring := f.store.keyring
	ring.BeginSnapshot()
	before, _, err := f.probe(ctx, node)
	if err != nil {
		return nil, err
	}
	if !ring.Adopts(before) {
		return nil, errDataGone
	}
	s := &snapshot{idx: keyring.NewIndex(before.Epoch), ahead: make(map[credential.Digest]uint64), patience: redisconn.CommandTimeout}
	s.ledger = &ledgerReader{key: f.store.keys.ledger(), apply: func(c keyring.Change, _ string) error {
		if err := s.passed(c); err != nil {
			return err
		}
		ring.Replay(s.idx, c)
		for _, op := range c.Ops {
			if s.ahead[op.Digest] <= c.Seq {
				delete(s.ahead, op.Digest)
			}
		}
		return nil
	}}
	whole, err := f.ledgerIsWhole(ctx, node, before)
	switch {
	case err != nil:
		return nil, err
	case before.Epoch == "":
		s.source = fromNothing
	case whole:
		s.source = fromLedger
		s.ledger.at = position{epoch: before.Epoch, stream: "0-0"}
		return s, nil
	case spread:
		if err := sleep(ctx, f.spread()); err != nil {
			return nil, err
		}
		return f.begin(ctx, b, node, false)
	default:
		if err := f.turn(ctx, b, s); err != nil {
			return nil, err
		}
	}
	if s.source == fromCopy {
		s.master = s.copied.at
	} else if s.master, err = f.ledgerEnd(ctx, node, before); err != nil {
		return nil, err
	}
	s.ledger.at = s.master
	return s, nil
}

// ledgerIsWhole reports whether the ledger seems to tell of every credential, in fewer
// entries than there are buckets to read. Whether it does is for its chain to show: it
// has to lead from nothing to the head of the data set.
func (f *follower) ledgerIsWhole(ctx context.Context, node *redis.Client, m keyring.Meta) (bool, error) {
	if m.Epoch == "" || m.Epoch == f.brokenLedger || m.Seq == 0 || m.Seq > bucketCount || !m.Declared.IsZero() {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	fields, err := node.HMGet(ctx, f.store.keys.meta(), metaRestored).Result()
	return err == nil && len(fields) == 1 && fields[0] == nil, err
}

// readBuckets reads the digest buckets from the next one on. One batch is put into the
// index while Redis makes the next.
func (f *follower) readBuckets(ctx context.Context, b *backend, node *redis.Client, s *snapshot) error {
	batches := make(chan [][]string)
	put := make(chan error, 1)
	go func() {
		var err error
		for batch := range batches {
			if err == nil {
				err = s.putBuckets(batch)
			}
		}
		put <- err
	}()
	var err error
	for first := s.next; first < bucketCount && err == nil; first += snapshotBatch {
		var batch [][]string
		if batch, err = f.readBatch(ctx, node, s, first); err == nil {
			batches <- batch
		}
		f.holdTurn(ctx, b, s)
	}
	close(batches)
	if putErr := <-put; putErr != nil {
		return putErr
	}
	return err
}

func (f *follower) readBatch(ctx context.Context, node *redis.Client, s *snapshot, first int) ([][]string, error) {
	reads := make([]*redis.StringSliceCmd, snapshotBatch)
	var heads []*redis.SliceCmd
	err := s.roundTrip(ctx, node, func(ctx context.Context, p redis.Pipeliner) {
		if s.links != nil {
			heads = append(heads, f.askHead(ctx, p))
		}
		for i := range reads {
			reads[i] = redis.NewStringSliceCmd(ctx, "HGETALL", f.store.keys.bucket(first+i))
			p.Process(ctx, reads[i])
		}
		if s.links != nil {
			heads = append(heads, f.askHead(ctx, p))
		}
	})
	if err != nil {
		return nil, err
	}
	for _, head := range heads {
		if err := s.note(head); err != nil {
			return nil, err
		}
	}
	batch := make([][]string, len(reads))
	for i, read := range reads {
		batch[i] = read.Val()
	}
	return batch, nil
}

// roundTrip sends commands and waits for their answers, longer each time it was in vain.
func (s *snapshot) roundTrip(ctx context.Context, node *redis.Client, commands func(context.Context, redis.Pipeliner)) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	_, err := node.WithTimeout(s.patience).Pipelined(ctx, func(p redis.Pipeliner) error {
		commands(ctx, p)
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		s.patience = min(2*s.patience, snapshotPatience)
	}
	return err
}

// putBuckets puts the next buckets into the index.
func (s *snapshot) putBuckets(batch [][]string) error {
	if s.next == 0 {
		n := 0
		for _, bucket := range batch {
			n += len(bucket) / 2
		}
		if n >= 8*len(batch) { // enough to tell from
			s.idx.Expect(n * bucketCount / len(batch))
		}
	}
	for _, bucket := range batch {
		for field := range slices.Chunk(bucket, 2) {
			if len(field) != 2 {
				return credential.ErrCorrupt
			}
			d, seq, err := s.idx.PutEncoded(field[0], field[1])
			if err != nil {
				return err
			}
			if seq > s.ledger.at.seq {
				s.ahead[d] = seq
			}
		}
	}
	s.next += len(batch)
	return nil
}

// readAgain reads once more what was read as of a change that the ledger does not tell
// of: from a master that a failover has replaced since. What is not there any more must
// not live on here, where nobody could revoke it.
func (f *follower) readAgain(ctx context.Context, node *redis.Client, s *snapshot) error {
	for batch := range slices.Chunk(slices.Collect(maps.Keys(s.ahead)), readBatch) {
		reads := make([]*redis.StringCmd, len(batch))
		err := s.roundTrip(ctx, node, func(ctx context.Context, p redis.Pipeliner) {
			for i, d := range batch {
				reads[i] = p.HGet(ctx, f.store.keys.bucketOf(d), string(d[:]))
			}
		})
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		for i, d := range batch {
			value, err := reads[i].Result()
			if err != nil && !errors.Is(err, redis.Nil) {
				return err
			}
			s.idx.Remove(d)
			if err == nil {
				if _, _, err := s.idx.PutEncoded(string(d[:]), value); err != nil {
					return err
				}
			}
			delete(s.ahead, d)
		}
	}
	return nil
}

// buryMissed remembers as revoked what was revoked while nobody here followed the
// ledger: the snapshot says only that the digests are gone, and a failover later on
// could bring them back. One that is gone for another reason, its mint lost by Redis,
// is not among the revoked ones.
func (f *follower) buryMissed(ctx context.Context, rdb *redis.Client, missing map[credential.Digest]uuid.UUID) error {
	for batch := range slices.Chunk(slices.Collect(maps.Keys(missing)), readBatch) {
		reads := make([]*redis.BoolCmd, len(batch))
		_, err := rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, d := range batch {
				reads[i] = p.SIsMember(ctx, f.store.keys.revokedOf(d), string(d[:]))
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i, read := range reads {
			if read.Val() {
				f.store.keyring.Bury(batch[i], missing[batch[i]])
			}
		}
	}
	return nil
}
