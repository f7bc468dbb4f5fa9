package store

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// meta is the head of the data set as a probe saw it.
type meta struct {
	epoch string // "" where Redis holds no data set
	seq   uint64
	head  string
	// declared is when an operator declared the epoch to be a new data set, by the
	// server's clock; zero where it began by itself with a first mutation.
	declared time.Time
}

// probe reads the head of the data set, and returns the local time before it was
// sent: freshness is counted from then. PERSIST on a key without TTL changes
// nothing and is not replicated, but it is a write to Redis' mind: a demoted or
// isolated master refuses it while it goes on answering reads.
func (f *follower) probe(ctx context.Context, rdb *redis.Client) (meta, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	clock, key := f.store.clock, f.store.keys.meta()
	var head *redis.SliceCmd
	var serverTime *redis.TimeCmd
	sent := clock.local()
	_, err := rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Persist(ctx, key)
		head = p.HMGet(ctx, key, "epoch", "seq", "head", "declared")
		serverTime = p.Time(ctx)
		return nil
	})
	if err != nil {
		return meta{}, sent, err
	}
	clock.observe(serverTime.Val(), sent, clock.local())
	var m meta
	fields := make([]string, len(head.Val()))
	for i, v := range head.Val() {
		fields[i], _ = v.(string) // nil where absent
	}
	m.epoch, m.head = fields[0], fields[2]
	if fields[3] != "" {
		ms, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil {
			return meta{}, sent, errCorrupt
		}
		m.declared = time.UnixMilli(ms)
	}
	if m.epoch != "" {
		if m.seq, err = strconv.ParseUint(fields[1], 10, 64); err != nil {
			return meta{}, sent, errCorrupt
		}
	}
	return m, sent, nil
}

// resync reads all digest buckets into a new index, replays the ledger over what
// changed meanwhile, and installs it. The old index serves until then.
func (f *follower) resync(ctx context.Context, b *backend, reason ResyncReason) error {
	keyring := f.store.keyring
	node, err := b.tail.node(ctx)
	if err != nil {
		return err
	}
	keyring.beginSnapshot()
	before, _, err := f.probe(ctx, node)
	if err != nil {
		return err
	}
	if !keyring.adopts(before) {
		return errDataGone
	}
	start, err := f.ledgerEnd(ctx, node, before)
	if err != nil {
		return err
	}
	idx := newIndex(before.epoch)
	for first := 0; first < bucketCount; first += snapshotBatch {
		if err := f.readBuckets(ctx, node, idx, first); err != nil {
			return err
		}
	}
	after, sent, err := f.probe(ctx, node)
	if err != nil {
		return err
	}
	ledger := &ledgerReader{key: f.store.keys.ledger(), at: start, apply: func(c change, _ string) error {
		keyring.replay(idx, c)
		return nil
	}}
	if err := ledger.catchUp(ctx, node, after); err != nil {
		return err
	}
	if err := f.buryMissed(ctx, node, keyring.missing(idx)); err != nil {
		return err
	}
	lost := keyring.install(idx, ledger.at.seq)
	keyring.markFresh(sent)
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
func (f *follower) buryMissed(ctx context.Context, rdb *redis.Client, missing map[Digest]uuid.UUID) error {
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
				f.store.keyring.bury(batch[i], missing[batch[i]])
			}
		}
	}
	return nil
}

// readBuckets reads snapshotBatch buckets from the first one on.
func (f *follower) readBuckets(ctx context.Context, rdb *redis.Client, idx *index, first int) error {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
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
			d, ok := parseDigest(field)
			if !ok {
				return errCorrupt
			}
			seq, op, err := decodeValue(d, value)
			if err != nil || op.removed {
				return errCorrupt
			}
			idx.put(d, seq, op.key)
		}
	}
	return nil
}

// ledgerEnd returns the position of the newest ledger entry, or of m where the
// ledger is empty or was cut off at its end.
func (f *follower) ledgerEnd(ctx context.Context, rdb *redis.Client, m meta) (position, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	newest, err := rdb.XRevRangeN(ctx, f.store.keys.ledger(), "+", "-", 1).Result()
	if err != nil {
		return position{}, err
	}
	at := position{epoch: m.epoch, seq: m.seq, head: m.head, stream: "0-0"}
	if len(newest) == 1 {
		c, err := decodeEntry(m.epoch, newest[0].Values)
		if err != nil {
			return position{}, err
		}
		at.stream = newest[0].ID
		if c.seq > m.seq { // committed since the probe
			at.seq, at.head = c.seq, c.head
		}
	}
	return at, nil
}
