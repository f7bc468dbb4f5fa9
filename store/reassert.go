package store

import (
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// reassert writes again the revocations that Redis has lost, a failover's or a
// restored backup's. Every sidecar that knows of one does so; the first wins, and
// the others find it done. What fails is tried again after the next probe.
func (f *follower) reassert(ctx context.Context) {
	for _, d := range slices.Collect(maps.Keys(f.unasserted)) {
		err := f.store.revokeAgain(ctx, d, f.unasserted[d])
		if err != nil && err != ErrNotReplicated {
			f.store.log().Error("a lost revocation could not be written again yet", "credential", f.unasserted[d].String(), "error", err)
			return
		}
		delete(f.unasserted, d)
	}
}

// revokeAgain removes a digest from Redis, and revokes the record that it belongs
// to if there still is one.
func (s *Store) revokeAgain(ctx context.Context, d Digest, id uuid.UUID) error {
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
	m := mutation{digests: []digestOp{{digest: d, removed: true, id: id}}}
	if len(fields) > 0 {
		c, err := parseRecord(id, fields)
		if err != nil {
			return err
		}
		m.tenant = c.Tenant
		if c.digest == d {
			if !c.RevokedAt.IsZero() {
				return nil // another sidecar was first
			}
			m.digests = nil
			m.revoke(&c)
			m.audit = auditNote{action: ActionRevoke, credential: id, kind: c.Kind, detail: "lost by Redis, and written again"}
		}
	}
	_, err = s.commit(ctx, m)
	return err
}
