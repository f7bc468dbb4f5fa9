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
	shards [usageShards]usageShard

	flushing sync.Mutex
	flushed  atomic.Uint64
	failed   atomic.Uint64
}

// usageShard is only read by a request of a credential that is in it already: all
// requests of one vendor meet here, and one that holds a lock while it waits for a
// processor would hold up the others.
type usageShard struct {
	mu   sync.RWMutex
	last map[uuid.UUID]*atomic.Int64 // ms, in Redis time; it never goes back
	most int                         // that were in last since it was made
}

func newUsageRecorder(clock *keyring.ServerClock) *usageRecorder {
	u := &usageRecorder{clock: clock}
	for i := range u.shards {
		u.shards[i].last = make(map[uuid.UUID]*atomic.Int64)
	}
	return u
}

// The last byte of a version 7 UUID is random.
func (u *usageRecorder) shard(id uuid.UUID) *usageShard {
	return &u.shards[id[len(id)-1]%usageShards]
}

// mark notes a use at a local time. It does no I/O.
func (u *usageRecorder) mark(id uuid.UUID, local time.Time) {
	u.raise(id, u.clock.At(local).UnixMilli())
}

func (u *usageRecorder) raise(id uuid.UUID, ms int64) {
	s := u.shard(id)
	s.mu.RLock()
	last, ok := s.last[id]
	if ok {
		raiseTo(last, ms)
	}
	s.mu.RUnlock()
	if ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last[id] == nil {
		s.last[id] = new(atomic.Int64)
		s.most = max(s.most, len(s.last))
	}
	raiseTo(s.last[id], ms)
}

func raiseTo(last *atomic.Int64, ms int64) {
	for {
		old := last.Load()
		if old >= ms || last.CompareAndSwap(old, ms) {
			return
		}
	}
}

// addPending lets c show a use that has not been flushed yet.
func (u *usageRecorder) addPending(c *credential.Credential) {
	s := u.shard(c.ID)
	s.mu.RLock()
	defer s.mu.RUnlock()
	last, ok := s.last[c.ID]
	if !ok {
		return
	}
	if at := time.UnixMilli(last.Load()).UTC(); at.After(c.LastUsedAt) {
		c.LastUsedAt = at
	}
}

func (u *usageRecorder) pending() int {
	n := 0
	for i := range u.shards {
		s := &u.shards[i]
		s.mu.RLock()
		n += len(s.last)
		s.mu.RUnlock()
	}
	return n
}

// snapshot returns what is to be written.
func (u *usageRecorder) snapshot() map[uuid.UUID]int64 {
	all := make(map[uuid.UUID]int64)
	for i := range u.shards {
		s := &u.shards[i]
		s.mu.RLock()
		for id, last := range s.last {
			all[id] = last.Load()
		}
		s.mu.RUnlock()
	}
	return all
}

// settle forgets a use that has been written, unless a newer one came meanwhile.
func (u *usageRecorder) settle(id uuid.UUID, written int64) {
	s := u.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.last[id]; ok && last.Load() == written {
		delete(s.last, id)
		if len(s.last) == 0 && s.most > usageShards { // a map does not shrink
			s.last, s.most = make(map[uuid.UUID]*atomic.Int64), 0
		}
	}
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
			u.settle(id, uses[id])
		}
	}
	return nil
}
