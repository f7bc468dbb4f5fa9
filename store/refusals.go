package store

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store/redisconn"
)

const (
	// refusalsKept is how many of the last refusals of a credential are kept.
	refusalsKept = 5
	// refusedShards and refusedMost bound the credentials whose refusals are in memory, each
	// shard's on its own: a flood of refusals of ever others takes a megabyte at most.
	refusedShards = 64
	refusedMost   = 64
	// refusedPerFlush is how many records one flush writes. Only the last one, when the
	// process stops, writes all.
	refusedPerFlush = 500
)

// refusalRecorder collects the last refusals of credentials, to be written with their last
// use: none on the path of a request.
type refusalRecorder struct {
	shards   [refusedShards]refusalShard
	flushing sync.Mutex
	from     int // the shard that the next flush begins with
}

type refusalShard struct {
	mu   sync.Mutex
	last map[uuid.UUID][]credential.Refusal // newest first
}

func (r *refusalRecorder) shard(id uuid.UUID) *refusalShard {
	return &r.shards[id[len(id)-1]%refusedShards]
}

// MarkRefused notes at a local time that the guard refused a credential, whose user came
// from an address.
func (s *Store) MarkRefused(id uuid.UUID, outcome string, client netip.Addr, local time.Time) {
	refusal := credential.Refusal{At: s.clock.At(local).UTC().Truncate(time.Millisecond), Outcome: outcome}
	if client.IsValid() {
		refusal.Address = client.String()
	}
	s.refusals.mark(id, refusal)
}

// mark notes refusals, unless there are those of too many other credentials.
func (r *refusalRecorder) mark(id uuid.UUID, refusals ...credential.Refusal) {
	s := r.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last[id] == nil && len(s.last) >= refusedMost {
		return
	}
	if s.last == nil {
		s.last = make(map[uuid.UUID][]credential.Refusal)
	}
	s.last[id] = newestRefusals(s.last[id], refusals)
}

// newestRefusals returns the newest of two lists, of which the first may be changed.
func newestRefusals(some, others []credential.Refusal) []credential.Refusal {
	for _, refusal := range others {
		i := slices.IndexFunc(some, func(r credential.Refusal) bool { return !r.At.After(refusal.At) })
		switch {
		case i >= 0 && some[i] == refusal:
		case i >= 0:
			some = slices.Insert(some, i, refusal)
		default:
			some = append(some, refusal)
		}
		some = some[:min(len(some), refusalsKept)]
	}
	return some
}

// take returns what is to be written of some credentials, and forgets it.
func (r *refusalRecorder) take() map[uuid.UUID][]credential.Refusal {
	taken := make(map[uuid.UUID][]credential.Refusal)
	for range refusedShards {
		s := &r.shards[r.from]
		s.mu.Lock()
		if len(taken)+len(s.last) > refusedPerFlush {
			s.mu.Unlock()
			break
		}
		maps.Copy(taken, s.last)
		s.last = nil
		s.mu.Unlock()
		r.from = (r.from + 1) % refusedShards
	}
	return taken
}

// keep puts back what could not be written, as far as there is room.
func (r *refusalRecorder) keep(taken map[uuid.UUID][]credential.Refusal) {
	for id, refusals := range taken {
		r.mark(id, refusals...)
	}
}

// flush writes what was collected of some credentials, and of all where so asked. What could
// not be written is kept.
func (r *refusalRecorder) flush(ctx context.Context, keys keyspace, scripts scriptRunner, all bool) error {
	r.flushing.Lock()
	defer r.flushing.Unlock()
	for {
		taken := r.take()
		if len(taken) == 0 {
			return nil
		}
		records := make([]string, 0, len(taken))
		args := []any{refusalsKept}
		for id, refusals := range taken {
			records = append(records, keys.record(id))
			args = append(args, len(refusals))
			for _, refusal := range refusals {
				args = append(args, refusal.At.UnixMilli(), refusal.Outcome, refusal.Address)
			}
		}
		if _, err := scripts.Run(ctx, refusalsScript, 0, records, args); err != nil {
			r.keep(taken)
			return unavailable("write the last refusals", err)
		}
		if !all {
			return nil
		}
	}
}

// addPending lets c show refusals that are not written yet.
func (r *refusalRecorder) addPending(c *credential.Credential) {
	s := r.shard(c.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if pending := s.last[c.ID]; len(pending) > 0 {
		c.LastRefusals = newestRefusals(c.LastRefusals, pending)
	}
}

// parseRefusals reads the field that lua/refusals.lua writes. What cannot be read is left
// out: it decides nothing.
func parseRefusals(text string) (refusals []credential.Refusal) {
	for entry := range strings.FieldsSeq(text) {
		ms, rest, _ := strings.Cut(entry, ",")
		outcome, address, ok := strings.Cut(rest, ",")
		if at, err := redisconn.ParseMillis(ms); err == nil && ok {
			refusals = append(refusals, credential.Refusal{At: at, Outcome: outcome, Address: address})
		}
	}
	return refusals
}
