package store

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
)

// probe reads the head of the data set, and returns the local time before it was
// sent: freshness is counted from then. PERSIST on a key without TTL changes
// nothing and is not replicated, but it is a write to Redis' mind: a demoted or
// isolated master refuses it while it goes on answering reads.
func (f *follower) probe(ctx context.Context, rdb *redis.Client) (keyring.Meta, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	clock, key := f.store.clock, f.store.keys.meta()
	var head *redis.SliceCmd
	var serverTime *redis.TimeCmd
	sent := clock.Local()
	_, err := rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Persist(ctx, key)
		head = p.HMGet(ctx, key, "epoch", "seq", "head", "declared")
		serverTime = p.Time(ctx)
		return nil
	})
	if err != nil {
		return keyring.Meta{}, sent, err
	}
	clock.Observe(serverTime.Val(), sent, clock.Local())
	var m keyring.Meta
	fields := make([]string, len(head.Val()))
	for i, v := range head.Val() {
		fields[i], _ = v.(string) // nil where absent
	}
	m.Epoch, m.Head = fields[0], fields[2]
	if fields[3] != "" {
		ms, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil {
			return keyring.Meta{}, sent, credential.ErrCorrupt
		}
		m.Declared = time.UnixMilli(ms)
	}
	if m.Epoch != "" {
		if m.Seq, err = strconv.ParseUint(fields[1], 10, 64); err != nil {
			return keyring.Meta{}, sent, credential.ErrCorrupt
		}
	}
	return m, sent, nil
}

// resync reads all digest buckets into a new index, replays the ledger over what
// changed meanwhile, and installs it. The old index serves until then.
func (f *follower) resync(ctx context.Context, b *backend, reason ResyncReason) error {
	ring := f.store.keyring
	node, err := b.tail.Node(ctx)
	if err != nil {
		return err
	}
	ring.BeginSnapshot()
	before, _, err := f.probe(ctx, node)
	if err != nil {
		return err
	}
	if !ring.Adopts(before) {
		return errDataGone
	}
	start, err := f.ledgerEnd(ctx, node, before)
	if err != nil {
		return err
	}
	idx := keyring.NewIndex(before.Epoch)
	for first := 0; first < bucketCount; first += snapshotBatch {
		if err := f.readBuckets(ctx, node, idx, first); err != nil {
			return err
		}
	}
	after, sent, err := f.probe(ctx, node)
	if err != nil {
		return err
	}
	ledger := &ledgerReader{key: f.store.keys.ledger(), at: start, apply: func(c keyring.Change, _ string) error {
		ring.Replay(idx, c)
		return nil
	}}
	if err := ledger.catchUp(ctx, node, after); err != nil {
		return err
	}
	if err := f.buryMissed(ctx, node, ring.Missing(idx)); err != nil {
		return err
	}
	lost := ring.Install(idx, ledger.at.seq)
	ring.MarkFresh(sent)
	ledger.apply = f.applyLive
	f.ledger = ledger
	f.unasserted = lost
	if len(lost) > 0 {
		f.store.log().Error("Redis has lost revocations; they hold here and are written again", "credentials", len(lost))
	}
	f.resyncs[slices.Index(resyncReasons[:], reason)].Add(1)
	f.up.Store(true)
	f.store.log().Info("keyring loaded", "reason", string(reason), "sequence", ledger.at.seq)
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

// readBuckets reads snapshotBatch buckets from the first one on.
func (f *follower) readBuckets(ctx context.Context, rdb *redis.Client, idx *keyring.Index, first int) error {
	ctx, cancel := context.WithTimeout(ctx, redisconn.CommandTimeout)
	defer cancel()
	var reads [snapshotBatch]*redis.MapStringStringCmd
	_, err := rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range reads {
			reads[i] = p.HGetAll(ctx, f.store.keys.bucket(first+i))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, read := range reads {
		for field, value := range read.Val() {
			d, ok := keyring.ParseDigest(field)
			if !ok {
				return credential.ErrCorrupt
			}
			seq, op, err := keyring.DecodeValue(d, value)
			if err != nil || op.Removed {
				return credential.ErrCorrupt
			}
			idx.Put(d, seq, op.Key)
		}
	}
	return nil
}

// ledgerEnd returns the position of the newest ledger entry, or of m where the
// ledger is empty or was cut off at its end.
func (f *follower) ledgerEnd(ctx context.Context, rdb *redis.Client, m keyring.Meta) (position, error) {
	ctx, cancel := context.WithTimeout(ctx, redisconn.CommandTimeout)
	defer cancel()
	newest, err := rdb.XRevRangeN(ctx, f.store.keys.ledger(), "+", "-", 1).Result()
	if err != nil {
		return position{}, err
	}
	at := position{epoch: m.Epoch, seq: m.Seq, head: m.Head, stream: "0-0"}
	if len(newest) == 1 {
		c, err := keyring.DecodeEntry(m.Epoch, newest[0].Values)
		if err != nil {
			return position{}, err
		}
		at.stream = newest[0].ID
		if c.Seq > m.Seq { // committed since the probe
			at.seq, at.head = c.Seq, c.Head
		}
	}
	return at, nil
}
