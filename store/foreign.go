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
)

// errIDTaken: there is a credential of the id that Matcher gave another one.
var errIDTaken = errors.New("the id is in use")

// Foreign is a token that was minted elsewhere, at Matcher where it has an id.
type Foreign struct {
	Digest credential.Digest
	// ID is the id that Matcher has for it, and the credential is to have here; Nil for none.
	ID uuid.UUID
}

// becomes makes a new credential that of the token.
func (f Foreign) becomes(c *credential.Credential) {
	c.Digest, c.TokenHint = f.Digest, ""
	if f.ID != uuid.Nil {
		c.ID, c.AtMatcher = f.ID, true
	}
}

// Keep creates a credential for a token that Matcher has just minted for the operator.
//
// Errors: those of Import, ErrKeyReused, *ReplayError.
func (s *Store) Keep(ctx context.Context, spec credential.Spec, token Foreign) (credential.Credential, error) {
	c, created, err := s.take(ctx, spec, token, ActionMint)
	if err == nil && !created && c.ID != token.ID {
		err = ErrDigestTaken // a token that was known before Matcher minted it
	}
	return c, err
}

// Replayed returns what a mint or rotation with the origin's idempotency key would get,
// before anything is done elsewhere: a *ReplayError, ErrKeyReused, or nil for a new request.
func (s *Store) Replayed(ctx context.Context, tenant uuid.UUID) error { return s.replayed(ctx, tenant) }

// LastUses tells when credentials of a tenant were last used; those that never were, or
// are not there, are left out. Errors: ErrUnavailable.
func (s *Store) LastUses(ctx context.Context, tenant uuid.UUID, ids []uuid.UUID) (map[uuid.UUID]time.Time, error) {
	b, err := s.backend()
	if err != nil {
		return nil, err
	}
	uses := make(map[uuid.UUID]time.Time)
	for batch := range slices.Chunk(ids, readBatch) {
		reads := make([]*redis.MapStringStringCmd, len(batch))
		err := b.ask(ctx, func(node *redis.Client) error {
			_, err := node.Pipelined(ctx, func(p redis.Pipeliner) error {
				for i, id := range batch {
					reads[i] = p.HGetAll(ctx, s.keys.record(id))
				}
				return nil
			})
			return err
		})
		if err != nil {
			return nil, unavailable("read records", err)
		}
		for i, read := range reads {
			if len(read.Val()) == 0 {
				continue
			}
			c, err := parseRecord(batch[i], read.Val())
			if err != nil {
				return nil, err
			}
			s.usage.addPending(&c)
			if c.Tenant == tenant {
				uses[c.ID] = c.LastUsedAt
			}
		}
	}
	maps.DeleteFunc(uses, func(_ uuid.UUID, at time.Time) bool { return at.IsZero() })
	return uses, nil
}
