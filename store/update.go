package store

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// Patch changes a credential; what is nil stays as it is.
type Patch struct {
	Label      *string
	ExpiresAt  *time.Time // the zero time for never
	AllowedIPs *[]netip.Prefix
	Scopes     *[]string
	// Metadata is a JSON merge patch of what there is; "" takes all of it away.
	Metadata *string
	// Verify takes the place of what there is; nil with RemoveVerify takes it away.
	Verify       *credential.VerifySpec
	RemoveVerify bool
}

// Update changes a credential that is not revoked and not past its grace, and
// returns it.
//
// Errors: ErrNotFound, ErrInactive, ErrInvalid, ErrSeal, ErrQuota, ErrNotReplicated, ErrUnavailable.
func (s *Store) Update(ctx context.Context, ref Ref, p Patch) (credential.Credential, error) {
	var updated credential.Credential
	err := s.update(ctx, ref, func(c *credential.Credential) error {
		if c.Retired(s.clock.Now()) {
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
			set = append(set, expiryFields(&updated)...)
		}
		if p.AllowedIPs != nil {
			updated.AllowedIPs = credential.CanonicalIPs(*p.AllowedIPs)
			set = append(set, fieldAllowedIPs, credential.FormatIPs(updated.AllowedIPs))
		}
		if p.Scopes != nil {
			updated.Scopes = credential.CanonicalScopes(*p.Scopes)
			set = append(set, fieldScopes, strings.Join(updated.Scopes, " "))
		}
		if p.Metadata != nil {
			var err error
			if updated.Metadata, err = credential.MergeMetadata(c.Metadata, *p.Metadata); err != nil {
				return err
			}
			set = append(set, fieldMetadata, updated.Metadata)
		}
		reproved := p.Verify != nil || p.RemoveVerify && c.Verify != nil
		if len(set) == 0 && !reproved {
			return nil
		}
		spec := updated.Spec()
		spec.Verify = p.Verify
		spec.SecretHash = c.Digest // any will do: it is not changed
		if c.Kind != credential.KindAPI {
			spec.SecretHash = credential.Digest{}
		}
		if err := spec.Validate(); err != nil {
			return err
		}
		if reproved {
			var err error
			if updated.Verify, err = s.sealVerify(c.ID, p.Verify); err != nil {
				return err
			}
			set = append(set, fieldVerify, updated.Verify.Encode())
		}
		m := mutation{
			tenant:  c.Tenant,
			records: []recordWrite{{id: c.ID, version: c.Version, set: set}},
			digests: []keyring.DigestOp{{Digest: c.Digest, Changes: true, ID: c.ID, Key: keyOf(&updated)}},
			audit:   updateNote(c, &updated),
		}
		if p.ExpiresAt != nil && c.SupersededBy == uuid.Nil {
			// One that had expired counts again, if there is room for it.
			m.limited = true
			m.counts(&updated)
		}
		_, err := s.commit(ctx, m)
		return err
	})
	return updated, err
}

// ReplaceSecret gives an api credential another secret in place: id, client id and
// metadata stay, and the old secret is refused at once.
//
// Errors: ErrNotFound, ErrInactive, ErrDisabled, ErrInvalid, ErrNotReplicated, ErrUnavailable.
func (s *Store) ReplaceSecret(ctx context.Context, ref Ref, secret credential.Digest) error {
	return s.update(ctx, ref, func(c *credential.Credential) error {
		if c.Kind != credential.KindAPI {
			return ErrNotFound
		}
		switch c.Status(s.clock.Now()) {
		case credential.StatusActive, credential.StatusGrace:
		case credential.StatusDisabled:
			return ErrDisabled
		default:
			return ErrInactive
		}
		c.TenantAs = originOf(ctx).TenantAs
		digest := credential.DigestAPISecret(c.ClientID, secret)
		if digest == c.Digest {
			return fmt.Errorf("%w: the credential has this secret already", credential.ErrInvalid)
		}
		_, err := s.commit(ctx, mutation{
			tenant:  c.Tenant,
			records: []recordWrite{{id: c.ID, version: c.Version, set: []string{fieldDigest, string(digest[:]), fieldTenantAs, string(c.TenantAs)}, stamps: []string{fieldRotatedAt}}},
			digests: []keyring.DigestOp{
				{Digest: c.Digest, Removed: true, ID: c.ID},
				{Digest: digest, ID: c.ID, Key: keyOf(c)},
			},
			audit: noteOf(ActionRotate, c),
		})
		if errors.Is(err, errDigestExists) || errors.Is(err, errDigestRevoked) {
			return fmt.Errorf("%w: the secret has been used for this client id before", credential.ErrInvalid)
		}
		return err
	})
}
