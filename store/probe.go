package store

import (
	"context"
	"strconv"
	"time"

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
		head = f.askHead(ctx, p)
		serverTime = p.Time(ctx)
		return nil
	})
	if err != nil {
		return keyring.Meta{}, sent, err
	}
	clock.Observe(serverTime.Val(), sent, clock.Local())
	m, err := parseHead(head.Val())
	return m, sent, err
}

// askHead reads what parseHead reads.
func (f *follower) askHead(ctx context.Context, rdb redis.Cmdable) *redis.SliceCmd {
	return rdb.HMGet(ctx, f.store.keys.meta(), "epoch", "seq", "head", "declared")
}

func parseHead(values []any) (keyring.Meta, error) {
	if len(values) != 4 {
		return keyring.Meta{}, credential.ErrCorrupt
	}
	var m keyring.Meta
	fields := make([]string, len(values))
	for i, v := range values {
		fields[i], _ = v.(string) // nil where absent
	}
	m.Epoch, m.Head = fields[0], fields[2]
	if fields[3] != "" {
		ms, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil {
			return keyring.Meta{}, credential.ErrCorrupt
		}
		m.Declared = time.UnixMilli(ms)
	}
	if m.Epoch != "" {
		var err error
		if m.Seq, err = strconv.ParseUint(fields[1], 10, 64); err != nil {
			return keyring.Meta{}, credential.ErrCorrupt
		}
	}
	return m, nil
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
