package store

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// reassert writes again the revocations that Redis has lost, a failover's or a
// restored backup's. Every sidecar that knows of one does so; the first wins, and
// the others find it done. What fails is tried again after the next probe, and so is
// what takes longer than a poll: the keyring must not grow stale over it.
func (f *follower) reassert(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pollInterval)
	defer cancel()
	for _, d := range slices.Collect(maps.Keys(f.unasserted)) {
		if ctx.Err() != nil {
			return
		}
		err := f.store.revokeAgain(ctx, d, f.unasserted[d])
		if errors.Is(err, errConflict) {
			continue // most likely by another sidecar, which does the same
		}
		if err != nil && ctx.Err() != nil {
			return
		}
		if err != nil {
			f.store.log().Error("a lost revocation could not be written again yet", "credential", f.unasserted[d].String(), "error", err)
			return
		}
		delete(f.unasserted, d)
	}
}

// revokeAgain removes a digest from Redis, and revokes the record that it belongs
// to if there still is one.
func (s *Store) revokeAgain(ctx context.Context, d credential.Digest, id uuid.UUID) error {
	b, err := s.backend()
	if err != nil {
		return err
	}
	var fields map[string]string
	err = b.ask(ctx, func(node *redis.Client) (err error) {
		fields, err = node.HGetAll(ctx, s.keys.record(id)).Result()
		return err
	})
	if err != nil {
		return unavailable("read a record", err)
	}
	m := mutation{here: true, digests: []keyring.DigestOp{{Digest: d, Removed: true, ID: id}}}
	// A record that cannot be read must not keep its token alive.
	if c, err := parseRecord(id, fields); err == nil {
		m.tenant = c.Tenant
		if c.Digest == d {
			m.digests = nil
			if c.RevokedAt.IsZero() {
				m.revoke(&c)
			} else if left, err := s.inBucket(ctx, d); !left || err != nil {
				return err // another sidecar was first
			} else {
				m.remove(&c)
			}
			m.audit = noteOf(ActionRevoke, &c).with("lost by Redis, and written again")
		}
	}
	_, err = s.commit(ctx, m)
	return err
}
