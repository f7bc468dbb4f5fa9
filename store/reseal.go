package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// Reseal seals the secrets of all credentials anew with the first key, so that the older
// ones can be taken away, and returns how many there were. What cannot be opened stays as
// it is, and makes it fail after all others are done. Errors: ErrSeal, ErrUnavailable.
func (s *Store) Reseal(ctx context.Context) (int, error) {
	b, err := s.backend()
	if err != nil {
		return 0, err
	}
	var all []uuid.UUID
	err = b.ask(ctx, func(node *redis.Client) error {
		return s.eachCredential(ctx, node, func(ids []uuid.UUID) error {
			all = append(all, ids...)
			return nil
		})
	})
	if err != nil {
		return 0, unavailable("list the credentials", err)
	}
	resealed, failed := 0, 0
	for _, id := range all {
		switch done, err := s.resealOne(ctx, b, id); {
		case errors.Is(err, ErrSeal):
			failed++
			s.log().Error("the secrets of a credential stay as they are", "credential", id.String(), "error", err)
		case err != nil:
			return resealed, err
		case done:
			resealed++
		}
	}
	if failed > 0 {
		return resealed, fmt.Errorf("%w: those of %d credentials are sealed with a key that is not here", ErrSeal, failed)
	}
	return resealed, nil
}

func (s *Store) resealOne(ctx context.Context, b *backend, id uuid.UUID) (done bool, err error) {
	var tenant string
	err = b.ask(ctx, func(node *redis.Client) error {
		fields, err := node.HMGet(ctx, s.keys.record(id), fieldTenant, fieldVerify).Result()
		if err == nil && fields[0] != nil && fields[1] != nil {
			tenant, _ = fields[0].(string)
		}
		return err
	})
	if err != nil {
		return false, unavailable("read a record", err)
	}
	if tenant == "" {
		return false, nil
	}
	ref := Ref{ID: id}
	copy(ref.Tenant[:], tenant)
	err = s.update(ctx, ref, func(c *credential.Credential) error {
		if done = c.Verify != nil && c.Verify.Sealed != "" && !c.Retired(s.clock.Now()); !done {
			return nil
		}
		sealed, err := s.sealFor(c.ID, c)
		if err != nil {
			return err
		}
		updated := *c
		updated.Verify = sealed
		_, err = s.commit(ctx, mutation{
			tenant:  c.Tenant,
			records: []recordWrite{{id: c.ID, version: c.Version, set: []string{fieldVerify, sealed.Encode()}}},
			digests: []keyring.DigestOp{{Digest: c.Digest, Changes: true, ID: c.ID, Key: keyOf(&updated)}},
		})
		return err
	})
	return done && err == nil, err
}
