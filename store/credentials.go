package store

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Spec describes a credential to be minted. Times are by the clock of Redis.
type Spec struct {
	Tenant     uuid.UUID
	Kind       Kind
	Label      string // callback kind
	Vendor     string // webhook kind, required
	Connection string // webhook kind, required
	// AllowedIPs are the addresses that the credential works from, as ParsePrefix
	// returns them; none means any.
	AllowedIPs []netip.Prefix
	ExpiresAt  time.Time
}

// Ref names one credential of a tenant. A credential of another tenant or kind is
// not found.
type Ref struct {
	Tenant uuid.UUID
	Kind   Kind
	ID     uuid.UUID
}

// casAttempts bounds how often a change is tried again that met a concurrent one.
const casAttempts = 8

// Mint creates a credential and returns it with its token, which exists nowhere
// else. When Mint returns, this process's keyring accepts the token.
//
// Errors: ErrInvalid, ErrUnavailable.
func (s *Store) Mint(ctx context.Context, spec Spec) (Credential, string, error) {
	if err := spec.validate(); err != nil {
		return Credential{}, "", err
	}
	c, token, err := newCredential(spec)
	if err != nil {
		return Credential{}, "", err
	}
	at, err := s.commit(ctx, mutation{
		tenant:  c.Tenant,
		records: []recordWrite{{id: c.ID, set: recordFields(&c), stamps: []string{fieldCreatedAt}}},
		digests: []digestOp{{digest: c.digest, id: c.ID, key: c.key()}},
	})
	if errors.Is(err, errConflict) {
		// The id is new, so this was our own commit: its reply got lost, and another
		// writer changed the credential before we asked again.
		err = unavailable("mint", err)
	}
	if err != nil {
		return Credential{}, "", err
	}
	c.CreatedAt = at
	return c, token, nil
}

// Rotate replaces a live credential by a new one with the same label and bindings,
// and revokes the old one in the same transaction. It returns the new one with its
// token.
//
// Errors: ErrNotFound, ErrInactive, ErrUnavailable. Of several concurrent rotations
// of one credential exactly one succeeds; the others get ErrInactive.
func (s *Store) Rotate(ctx context.Context, ref Ref) (Credential, string, error) {
	var fresh Credential
	var token string
	err := s.update(ctx, ref, func(old *Credential) error {
		if old.Status(s.clock.now()) != StatusActive {
			return ErrInactive
		}
		var err error
		fresh, token, err = newCredential(Spec{
			Tenant: old.Tenant, Kind: old.Kind, Label: old.Label,
			Vendor: old.Vendor, Connection: old.Connection, AllowedIPs: old.AllowedIPs, ExpiresAt: old.ExpiresAt,
		})
		if err != nil {
			return err
		}
		fresh.Supersedes = old.ID
		at, err := s.commit(ctx, mutation{
			tenant: old.Tenant,
			records: []recordWrite{
				{id: fresh.ID, set: recordFields(&fresh), stamps: []string{fieldCreatedAt, fieldRotatedAt}},
				{id: old.ID, version: old.version, set: []string{fieldSupersededBy, string(fresh.ID[:])}, stamps: []string{fieldRevokedAt}},
			},
			digests: []digestOp{
				{digest: old.digest, removed: true, id: old.ID},
				{digest: fresh.digest, id: fresh.ID, key: fresh.key()},
			},
		})
		fresh.CreatedAt, fresh.RotatedAt = at, at
		return err
	})
	if err != nil {
		return Credential{}, "", err
	}
	return fresh, token, nil
}

// Revoke ends a credential for good. Revoking it again changes nothing. When
// Revoke returns, this process's keyring refuses the token.
//
// Errors: ErrNotFound, ErrUnavailable.
func (s *Store) Revoke(ctx context.Context, ref Ref) error {
	return s.update(ctx, ref, func(c *Credential) error {
		if !c.RevokedAt.IsZero() {
			// Maybe by another process a moment ago, whose ledger entry is still under way.
			s.keyring.bury(c.digest, c.ID)
			return s.awaitReplicas(ctx)
		}
		_, err := s.commit(ctx, mutation{
			tenant:  c.Tenant,
			records: []recordWrite{{id: c.ID, version: c.version, stamps: []string{fieldRevokedAt}}},
			digests: []digestOp{{digest: c.digest, removed: true, id: c.ID}},
		})
		return err
	})
}

// update reads a credential and lets change commit a new state of it, again if
// another writer came between.
func (s *Store) update(ctx context.Context, ref Ref, change func(*Credential) error) error {
	for range casAttempts {
		c, err := s.Get(ctx, ref)
		if err != nil {
			return err
		}
		if err = change(&c); !errors.Is(err, errConflict) {
			return err
		}
	}
	return fmt.Errorf("%w: too many concurrent changes of one credential", ErrUnavailable)
}

func (spec *Spec) validate() error {
	switch {
	case spec.Tenant == uuid.Nil:
		return fmt.Errorf("%w: tenant is missing", ErrInvalid)
	case kindCode(spec.Kind) < 0:
		return fmt.Errorf("%w: unknown kind", ErrInvalid)
	case !printable(spec.Label, MaxLabelLength):
		return fmt.Errorf("%w: the label must be at most %d characters without control characters", ErrInvalid, MaxLabelLength)
	case !spec.ExpiresAt.IsZero() && spec.ExpiresAt.UnixMilli() <= 0: // 0 means never to a keyring
		return fmt.Errorf("%w: the expiry must be after 1970", ErrInvalid)
	case spec.Kind != KindWebhook && (spec.Vendor != "" || spec.Connection != ""):
		return fmt.Errorf("%w: only a webhook credential has a vendor and a connection", ErrInvalid)
	case spec.Kind == KindWebhook && !ValidVendor(spec.Vendor):
		return fmt.Errorf("%w: the vendor must be 1 to 32 characters of a-z 0-9 -", ErrInvalid)
	case spec.Kind == KindWebhook && (spec.Connection == "" || !printable(spec.Connection, MaxConnectionLength)):
		return fmt.Errorf("%w: the connection must be 1 to %d characters without control characters", ErrInvalid, MaxConnectionLength)
	}
	return validAllowedIPs(spec.AllowedIPs)
}

// ValidVendor reports whether name can be a vendor: [a-z0-9-]{1,32}.
func ValidVendor(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(name) >= 1 && len(name) <= 32
}

// printable reports whether text is valid UTF-8 of at most limit characters, none
// of them a control character: those would end up in logs and headers.
func printable(text string, limit int) bool {
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > limit {
		return false
	}
	for _, r := range text {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

// newCredential draws an id and a token. Ids are time-ordered (UUID version 7), so
// that credentials of one millisecond still list in the order they were minted.
func newCredential(spec Spec) (Credential, string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Credential{}, "", fmt.Errorf("draw a credential id: %w", err)
	}
	token := mintToken(spec.Kind.tokenPrefix())
	return Credential{
		ID: id, Tenant: spec.Tenant, Kind: spec.Kind, Label: spec.Label,
		Vendor: spec.Vendor, Connection: spec.Connection, AllowedIPs: canonicalIPs(spec.AllowedIPs),
		ExpiresAt: spec.ExpiresAt.UTC().Truncate(time.Millisecond),
		digest:    DigestToken(token),
	}, token, nil
}
