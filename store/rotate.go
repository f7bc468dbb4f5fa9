package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
)

// Rotation says how a credential is replaced.
type Rotation struct {
	// Grace is how long the old credential goes on being accepted, never past its
	// expiry. Zero revokes it in the same transaction.
	Grace time.Duration
	// Force ends a grace period that an earlier rotation opened.
	Force bool
	// SecretHash is the SHA-256 of the new secret, for the api kind.
	SecretHash credential.Digest
	// Foreign is the new token where it was minted elsewhere; Rotate then returns none.
	Foreign *Foreign
}

// Rotate replaces a live credential by a new one with the same label and bindings.
// It returns the new one with its token.
//
// Errors: ErrNotFound, ErrInactive, ErrDisabled, ErrGraceOpen, ErrInvalid, ErrSeal, ErrKeyReused,
// *ReplayError, ErrNotReplicated, ErrUnavailable. Of several concurrent rotations of
// one credential exactly one succeeds; the others get ErrInactive or ErrGraceOpen.
func (s *Store) Rotate(ctx context.Context, ref Ref, r Rotation) (credential.Credential, string, error) {
	if r.Grace < 0 || r.Grace > credential.MaxGrace {
		return credential.Credential{}, "", fmt.Errorf("%w: the grace period must be between 0 and %d seconds", credential.ErrInvalid, int(credential.MaxGrace.Seconds()))
	}
	var fresh credential.Credential
	var token string
	err := s.update(ctx, ref, func(old *credential.Credential) error {
		switch old.Status(s.clock.Now()) {
		case credential.StatusActive:
		case credential.StatusGrace:
			return ErrGraceOpen
		case credential.StatusDisabled:
			// Its successor would let in whom an operator has kept out, or surprise whoever gets a
			// token that is refused.
			return ErrDisabled
		default:
			return ErrInactive
		}
		spec := old.Spec()
		spec.SecretHash = r.SecretHash
		if err := spec.Validate(); err != nil {
			return err
		}
		var err error
		if fresh, token, err = credential.NewCredential(spec); err != nil {
			return err
		}
		if r.Foreign != nil {
			token = ""
			r.Foreign.becomes(&fresh)
		}
		fresh.Supersedes, fresh.TenantAs = old.ID, originOf(ctx).TenantAs
		if fresh.Verify, err = s.sealFor(fresh.ID, old); err != nil {
			return err
		}
		m := mutation{
			tenant:  old.Tenant,
			records: []recordWrite{{id: fresh.ID, set: recordFields(&fresh), stamps: []string{fieldCreatedAt, fieldRotatedAt}}},
			audit:   noteOf(ActionRotate, old).with(fresh.ID.String()),
			makes:   fresh.ID,
		}
		m.counts(&fresh)
		if err := s.retire(ctx, &m, old, fresh.ID, r); err != nil {
			return err
		}
		m.digests = append(m.digests, keyring.DigestOp{Digest: fresh.Digest, ID: fresh.ID, Key: keyOf(&fresh)})
		if fresh.ClientID != "" {
			m.clients = []clientOp{{clientID: fresh.ClientID, to: fresh.ID, from: old.ID}}
		}
		at, err := s.commit(ctx, m)
		if r.Foreign == nil && (errors.Is(err, errDigestExists) || errors.Is(err, errDigestRevoked)) {
			return fmt.Errorf("%w: the secret has been used for this client id before", credential.ErrInvalid)
		}
		fresh.CreatedAt, fresh.RotatedAt = at, at
		return err
	})
	if errors.Is(err, ErrInactive) || errors.Is(err, ErrGraceOpen) {
		// The first of two equal requests has retired the credential, maybe while we read
		// it: that is the answer, and not that there is nothing left to rotate.
		if before := s.replayed(ctx, ref.Tenant); before != nil {
			err = before
		}
	}
	if err != nil {
		return credential.Credential{}, "", err
	}
	return fresh, token, nil
}

// retire adds to a rotation what becomes of the old credential, and of the one
// before it that may still be in its grace.
func (s *Store) retire(ctx context.Context, m *mutation, old *credential.Credential, successor uuid.UUID, r Rotation) error {
	before, err := s.inGrace(ctx, old)
	switch {
	case err != nil:
		return err
	case before != nil && !r.Force:
		return ErrGraceOpen
	case before != nil:
		m.revoke(before)
	}
	set := []string{fieldSupersededBy, string(successor[:])}
	if r.Grace == 0 {
		m.revoke(old, set...)
		return nil
	}
	retired := *old
	retired.GraceUntil = s.clock.Now().Add(r.Grace).Truncate(time.Millisecond)
	if !old.ExpiresAt.IsZero() && old.ExpiresAt.Before(retired.GraceUntil) {
		retired.GraceUntil = old.ExpiresAt
	}
	set = append(set, fieldGraceUntil, redisconn.FormatMillis(retired.GraceUntil))
	m.live = append(m.live, countOp{id: old.ID}) // its successor counts for both
	m.records = append(m.records, recordWrite{id: old.ID, version: old.Version, set: set})
	m.digests = append(m.digests, keyring.DigestOp{Digest: old.Digest, Changes: true, ID: old.ID, Key: keyOf(&retired)})
	m.audit.changes = changesOf(old, &retired)
	return nil
}

// inGrace returns the credential that c superseded, if its grace is still open.
func (s *Store) inGrace(ctx context.Context, c *credential.Credential) (*credential.Credential, error) {
	if c.Supersedes == uuid.Nil {
		return nil, nil
	}
	before, err := s.Get(ctx, Ref{Tenant: c.Tenant, ID: c.Supersedes})
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil || !before.InGrace(s.clock.Now()) {
		return nil, err
	}
	return &before, nil
}

// Finish ends the grace period of a rotation now. The credential named may be the
// one in grace or its successor; the one in grace is returned, revoked.
//
// Errors: ErrNotFound, ErrNoGrace, ErrNotReplicated, ErrUnavailable.
func (s *Store) Finish(ctx context.Context, ref Ref) (credential.Credential, error) {
	var finished credential.Credential
	err := s.update(ctx, ref, func(c *credential.Credential) error {
		retired := c
		if !c.InGrace(s.clock.Now()) {
			var err error
			if retired, err = s.inGrace(ctx, c); err != nil {
				return err
			}
			if retired == nil {
				// Maybe ended by a request whose answer said that no replica has it.
				return cmp.Or(s.awaitReplicas(ctx), ErrNoGrace)
			}
		}
		m := mutation{tenant: c.Tenant, audit: noteOf(ActionFinish, retired)}
		m.revoke(retired)
		at, err := s.commit(ctx, m)
		finished = *retired
		finished.RevokedAt = at
		return err
	})
	return finished, err
}
