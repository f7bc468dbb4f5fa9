package store

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store/redisconn"
)

// DefaultQuota is how many live credentials a tenant may have unless a Tuning says
// otherwise, and NoQuota says any number.
const (
	DefaultQuota = 10_000
	NoQuota      = -1
)

// ErrQuota: the tenant has as many live credentials as it may have.
var ErrQuota = errors.New("the tenant has as many live credentials as it may have")

// errUncounted: the live credentials of the tenant have to be counted first.
var errUncounted = errors.New("the live credentials of the tenant are not counted")

// countOp says whether a credential counts from now on. One that was rotated out with a
// grace does not, beside its successor.
type countOp struct {
	id   uuid.UUID
	till string // in ms; "" where it does not
}

// countsForever is the end of a credential without one, as lua/count.lua writes it.
const countsForever = "999999999999999"

// counts lets m count a credential until the end that it has.
func (m *mutation) counts(c *credential.Credential) {
	till := countsForever
	if until := c.ValidUntil(); !until.IsZero() {
		till = redisconn.FormatMillis(until)
	}
	m.live = append(m.live, countOp{c.ID, till})
}

// layCounts lays the counts of m out as lua/mutate.lua expects them.
func (m *mutation) layCounts() []any {
	args := []any{len(m.live)}
	for _, op := range m.live {
		args = append(args, op.id.String(), op.till)
	}
	return args
}

// layQuota returns what m may bring the tenant to, and whether the count is to be taken
// as it is.
func (s *Store) layQuota(m mutation) (quota, trusted string) {
	if limit := s.tuning.Load().Quota; m.limited && limit > 0 {
		quota = strconv.Itoa(limit)
	}
	if m.counted {
		trusted = "1"
	}
	return quota, trusted
}

// commit commits m. Where it would go beyond the quota, or the live credentials of the
// tenant have not been counted yet, they are counted, and it is tried again: sidecars of
// an older release write past the count.
func (s *Store) commit(ctx context.Context, m mutation) (time.Time, error) {
	at, err := s.commitOnce(ctx, m)
	if !errors.Is(err, errUncounted) && !errors.Is(err, ErrQuota) {
		return at, err
	}
	counted, countErr := s.recounts.run(m.tenant, s.clock.Local(), func() error { return s.count(ctx, m.tenant) })
	if countErr != nil {
		return time.Time{}, countErr
	}
	if errors.Is(err, ErrQuota) && !counted {
		return time.Time{}, err
	}
	m.counted = true
	return s.commitOnce(ctx, m)
}

// countBatch is how many records one call of lua/count.lua looks at.
const countBatch = 200

// count counts the live credentials of a tenant, batch by batch.
func (s *Store) count(ctx context.Context, tenant uuid.UUID) error {
	b, err := s.backend()
	if err != nil {
		return err
	}
	var at listPosition
	for whole := false; !whole; {
		members, err := s.indexBehind(ctx, b, tenant, at)
		if err != nil {
			return err
		}
		if len(members) == 0 {
			return nil // the last one was not the newest any more: the next count will tell
		}
		at = members[len(members)-1]
		for batch := range slices.Chunk(members, countBatch) {
			keys := []string{s.keys.live(tenant), s.keys.tenant(tenant)}
			var args []any
			for _, member := range batch {
				id, err := uuid.Parse(member.id)
				if err != nil {
					continue
				}
				keys, args = append(keys, s.keys.record(id)), append(args, member.id)
			}
			reply, err := b.scripts.Run(ctx, countScript, 0, keys, args)
			if err != nil {
				return unavailable("count the credentials of a tenant", err)
			}
			whole = reply == int64(1)
		}
	}
	return nil
}

// indexBehind returns the next credentials of a tenant in the order they were made.
func (s *Store) indexBehind(ctx context.Context, b *backend, tenant uuid.UUID, at listPosition) (members []listPosition, err error) {
	for offset := int64(0); ; offset += readBatch {
		var found []redis.Z
		err = b.askForList(ctx, func(node *redis.Client) (err error) {
			found, err = node.ZRangeArgsWithScores(ctx, redis.ZRangeArgs{
				Key: s.keys.tenant(tenant), Start: strconv.FormatInt(at.ms, 10), Stop: "+inf", ByScore: true, Offset: offset, Count: readBatch,
			}).Result()
			return err
		})
		if err != nil {
			return nil, unavailable("list a tenant", err)
		}
		for _, z := range found {
			if id, _ := z.Member.(string); int64(z.Score) > at.ms || id > at.id {
				members = append(members, listPosition{int64(z.Score), id})
			}
		}
		if len(found) < readBatch || len(members) > 0 {
			return members, nil
		}
	}
}

// recountAfter is how long a tenant's count is taken for right where nothing but an older
// release, whose changes are not counted, could have made it wrong.
const recountAfter = 10 * time.Minute

// recounts are the counts of tenants that this process has made of late.
type recounts struct {
	mu sync.Mutex
	at map[uuid.UUID]time.Time
}

// run counts a tenant unless that was done a moment ago, and tells whether it did.
func (r *recounts) run(tenant uuid.UUID, now time.Time, count func() error) (bool, error) {
	r.mu.Lock()
	for tenant, at := range r.at {
		if now.Sub(at) >= recountAfter {
			delete(r.at, tenant)
		}
	}
	_, recent := r.at[tenant]
	if r.at == nil {
		r.at = make(map[uuid.UUID]time.Time)
	}
	if !recent {
		r.at[tenant] = now
	}
	r.mu.Unlock()
	if recent {
		return false, nil
	}
	err := count()
	if err != nil {
		r.mu.Lock()
		delete(r.at, tenant)
		r.mu.Unlock()
	}
	return err == nil, err
}
