package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Errors of Import.
var (
	// ErrDigestTaken: the digest cannot be imported. That another tenant has it, or
	// that it was revoked, is not told: either would confirm a guessed token.
	ErrDigestTaken = errors.New("the digest cannot be imported")
)

// Import creates a credential for a token that was minted elsewhere, of which only
// the SHA-256 is known. Importing it again returns the credential there is.
//
// Errors: ErrInvalid, ErrDigestTaken, ErrNotReplicated, ErrUnavailable.
func (s *Store) Import(ctx context.Context, spec Spec, digest Digest) (c Credential, created bool, err error) {
	if spec.Kind == KindAPI {
		return c, false, fmt.Errorf("%w: an api credential is created with its secret hash, not imported", ErrInvalid)
	}
	if digest == (Digest{}) {
		return c, false, fmt.Errorf("%w: the digest is missing", ErrInvalid)
	}
	if err := spec.validate(); err != nil {
		return c, false, err
	}
	if c, _, err = newCredential(spec); err != nil {
		return c, false, err
	}
	c.digest = digest
	err = s.create(ctx, &c, ActionImport)
	switch {
	case errors.Is(err, errDigestRevoked):
		return c, false, ErrDigestTaken
	case errors.Is(err, errDigestExists):
		c, err = s.holder(ctx, spec, digest)
		return c, false, err
	}
	return c, err == nil, err
}

// holder returns the credential that has a digest, if it is of the tenant and kind
// that the import wants.
func (s *Store) holder(ctx context.Context, spec Spec, digest Digest) (Credential, error) {
	b, err := s.backend()
	if err != nil {
		return Credential{}, err
	}
	var value string
	err = b.ask(ctx, func(node *redis.Client) (err error) {
		value, err = node.HGet(ctx, s.keys.bucketOf(digest), string(digest[:])).Result()
		return err
	})
	switch {
	case errors.Is(err, redis.Nil): // revoked since
		return Credential{}, ErrDigestTaken
	case err != nil:
		return Credential{}, unavailable("read a digest", err)
	}
	_, op, err := decodeValue(digest, value)
	if err != nil {
		return Credential{}, err
	}
	c, err := s.Get(ctx, Ref{Tenant: spec.Tenant, Kind: spec.Kind, ID: op.id})
	if errors.Is(err, ErrNotFound) {
		err = ErrDigestTaken
	}
	return c, err
}
