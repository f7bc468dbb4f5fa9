package store

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Patch changes a credential; what is nil stays as it is.
type Patch struct {
	Label      *string
	ExpiresAt  *time.Time // the zero time for never
	AllowedIPs *[]netip.Prefix
}

// Update changes a credential that is not revoked and not past its grace, and
// returns it.
//
// Errors: ErrNotFound, ErrInactive, ErrInvalid, ErrNotReplicated, ErrUnavailable.
func (s *Store) Update(ctx context.Context, ref Ref, p Patch) (Credential, error) {
	var updated Credential
	err := s.update(ctx, ref, func(c *Credential) error {
		if c.retired(s.clock.now()) {
			return ErrInactive
		}
		updated = *c
		var set []string
		if p.Label != nil {
			updated.Label = *p.Label
			set = append(set, fieldLabel, updated.Label)
		}
		if p.ExpiresAt != nil {
			updated.ExpiresAt = p.ExpiresAt.UTC().Truncate(time.Millisecond)
			value := ""
			if !updated.ExpiresAt.IsZero() {
				value = formatMillis(updated.ExpiresAt)
			}
			set = append(set, fieldExpiresAt, value)
		}
		if p.AllowedIPs != nil {
			updated.AllowedIPs = canonicalIPs(*p.AllowedIPs)
			set = append(set, fieldAllowedIPs, formatIPs(updated.AllowedIPs))
		}
		if len(set) == 0 {
			return nil
		}
		spec := updated.spec()
		spec.SecretHash = c.digest // any will do: it is not changed
		if c.Kind != KindAPI {
			spec.SecretHash = Digest{}
		}
		if err := spec.validate(); err != nil {
			return err
		}
		_, err := s.commit(ctx, mutation{
			tenant:  c.Tenant,
			records: []recordWrite{{id: c.ID, version: c.version, set: set}},
			digests: []digestOp{{digest: c.digest, changes: true, id: c.ID, key: keyOf(&updated)}},
			audit:   auditNote{action: ActionUpdate, credential: c.ID, kind: c.Kind},
		})
		return err
	})
	return updated, err
}

// ReplaceSecret gives an api credential another secret in place: id, client id and
// metadata stay, and the old secret is refused at once.
//
// Errors: ErrNotFound, ErrInactive, ErrInvalid, ErrNotReplicated, ErrUnavailable.
func (s *Store) ReplaceSecret(ctx context.Context, ref Ref, secret Digest) error {
	return s.update(ctx, ref, func(c *Credential) error {
		if c.Kind != KindAPI {
			return ErrNotFound
		}
		if status := c.Status(s.clock.now()); status != StatusActive && status != StatusGrace {
			return ErrInactive
		}
		digest := DigestAPISecret(c.ClientID, secret)
		if digest == c.digest {
			return fmt.Errorf("%w: the credential has this secret already", ErrInvalid)
		}
		_, err := s.commit(ctx, mutation{
			tenant:  c.Tenant,
			records: []recordWrite{{id: c.ID, version: c.version, set: []string{fieldDigest, string(digest[:])}, stamps: []string{fieldRotatedAt}}},
			digests: []digestOp{
				{digest: c.digest, removed: true, id: c.ID},
				{digest: digest, id: c.ID, key: keyOf(c)},
			},
			audit: auditNote{action: ActionRotate, credential: c.ID, kind: c.Kind},
		})
		if errors.Is(err, errDigestExists) || errors.Is(err, errDigestRevoked) {
			return fmt.Errorf("%w: the secret has been used for this client id before", ErrInvalid)
		}
		return err
	})
}
