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

// Errors of Import.
var (
	// ErrDigestTaken: the digest cannot be imported. That another tenant has it, or
	// that it was revoked, is not told: either would confirm a guessed token.
	ErrDigestTaken = errors.New("the digest cannot be imported")
)

// Import creates a credential for a token that was minted elsewhere, of which only
// the SHA-256 is known. Importing it again returns the credential there is.
//
// Errors: ErrInvalid, ErrSeal, ErrQuota, ErrDigestTaken, ErrNotReplicated, ErrUnavailable.
func (s *Store) Import(ctx context.Context, spec credential.Spec, token Foreign) (c credential.Credential, created bool, err error) {
	return s.take(ctx, spec, token, ActionImport)
}

// take creates a credential for a token that was minted elsewhere.
func (s *Store) take(ctx context.Context, spec credential.Spec, token Foreign, action string) (c credential.Credential, created bool, err error) {
	if spec.Kind == credential.KindAPI {
		return c, false, fmt.Errorf("%w: an api credential is created with its secret hash, not imported", credential.ErrInvalid)
	}
	if token.Digest == (credential.Digest{}) {
		return c, false, fmt.Errorf("%w: the digest is missing", credential.ErrInvalid)
	}
	if token.ID != uuid.Nil && spec.Kind != credential.KindCallback {
		return c, false, fmt.Errorf("%w: only a callback credential has an id at Matcher", credential.ErrInvalid)
	}
	if err := spec.Validate(); err != nil {
		return c, false, err
	}
	if c, _, err = credential.NewCredential(spec); err != nil {
		return c, false, err
	}
	token.becomes(&c)
	if c.Verify, err = s.sealVerify(c.ID, spec.Verify); err != nil {
		return c, false, err
	}
	err = s.create(ctx, &c, action)
	switch {
	case errors.Is(err, errDigestRevoked):
		return c, false, ErrDigestTaken
	case errors.Is(err, errDigestExists):
		if c, err = s.holder(ctx, spec, token.Digest); err == nil {
			err = s.awaitReplicas(ctx)
		}
		return c, false, err
	case errors.Is(err, errIDTaken):
		// Of another tenant's credential no more is told than that it cannot be.
		before, err := s.Get(ctx, Ref{Tenant: spec.Tenant, Kind: spec.Kind, ID: token.ID})
		if errors.Is(err, ErrNotFound) || err == nil && (before.Digest != token.Digest || !before.RevokedAt.IsZero()) {
			err = ErrDigestTaken
		}
		return before, false, err
	}
	return c, err == nil, err
}

// holder returns the credential that has a digest, if it is of the tenant and kind
// that the import wants.
func (s *Store) holder(ctx context.Context, spec credential.Spec, digest credential.Digest) (credential.Credential, error) {
	b, err := s.backend()
	if err != nil {
		return credential.Credential{}, err
	}
	var value string
	err = b.ask(ctx, func(node *redis.Client) (err error) {
		value, err = node.HGet(ctx, s.keys.bucketOf(digest), string(digest[:])).Result()
		return err
	})
	switch {
	case errors.Is(err, redis.Nil): // revoked since
		return credential.Credential{}, ErrDigestTaken
	case err != nil:
		return credential.Credential{}, unavailable("read a digest", err)
	}
	_, op, err := keyring.DecodeValue(digest, value)
	if err != nil {
		return credential.Credential{}, err
	}
	c, err := s.Get(ctx, Ref{Tenant: spec.Tenant, Kind: spec.Kind, ID: op.ID})
	switch {
	case errors.Is(err, ErrNotFound):
		return c, ErrDigestTaken
	case err == nil && !c.RevokedAt.IsZero(): // a revocation was broken off
		return c, errors.Join(s.finishRevocation(ctx, &c), ErrDigestTaken)
	}
	return c, err
}
