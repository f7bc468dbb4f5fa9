package store

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

const (
	usageShards = 64
	// usageBatch is how many records one script call updates: larger ones would
	// hold up other Redis clients for more than a few milliseconds.
	usageBatch = 500
)

// usageRecorder collects when credentials were last used, and writes it to Redis
// in batches: at most one write per credential and flush, none on the request path.
type usageRecorder struct {
	clock  *keyring.ServerClock
	shards [usageShards]latest[uuid.UUID]

	flushing sync.Mutex
	flushed  atomic.Uint64
	failed   atomic.Uint64
}

func newUsageRecorder(clock *keyring.ServerClock) *usageRecorder { return &usageRecorder{clock: clock} }

// The last byte of a version 7 UUID is random.
func (u *usageRecorder) shard(id uuid.UUID) *latest[uuid.UUID] {
	return &u.shards[id[len(id)-1]%usageShards]
}

// mark notes a use at a local time. It does no I/O.
func (u *usageRecorder) mark(id uuid.UUID, local time.Time) {
	u.shard(id).raise(id, u.clock.At(local).UnixMilli())
}

// addPending lets c show a use that has not been flushed yet.
func (u *usageRecorder) addPending(c *credential.Credential) {
	ms, ok := u.shard(c.ID).get(c.ID)
	if !ok {
		return
	}
	if at := time.UnixMilli(ms).UTC(); at.After(c.LastUsedAt) {
		c.LastUsedAt = at
	}
}

func (u *usageRecorder) pending() int {
	n := 0
	for i := range u.shards {
		n += u.shards[i].size()
	}
	return n
}

// snapshot returns what is to be written.
func (u *usageRecorder) snapshot() map[uuid.UUID]int64 {
	all := make(map[uuid.UUID]int64)
	for i := range u.shards {
		maps.Insert(all, u.shards[i].all)
	}
	return all
}

// flush writes what was collected. What could not be written stays for the next
// flush; writing a use twice is harmless, the newest wins.
func (u *usageRecorder) flush(ctx context.Context, keys keyspace, scripts scriptRunner) error {
	u.flushing.Lock()
	defer u.flushing.Unlock()
	uses := u.snapshot()
	for batch := range slices.Chunk(slices.Collect(maps.Keys(uses)), usageBatch) {
		records := make([]string, len(batch))
		args := make([]any, len(batch))
		for i, id := range batch {
			records[i], args[i] = keys.record(id), uses[id]
		}
		if _, err := scripts.Run(ctx, usageScript, 0, records, args); err != nil {
			u.failed.Add(1)
			return unavailable("flush lastUsedAt", err)
		}
		u.flushed.Add(1)
		for _, id := range batch {
			u.shard(id).settle(id, uses[id])
		}
	}
	return nil
}
