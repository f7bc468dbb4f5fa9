package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// Ref names one credential of a tenant. A credential of another tenant is not found,
// nor one of another kind where Kind is not empty.
type Ref struct {
	Tenant uuid.UUID
	Kind   credential.Kind
	ID     uuid.UUID
}

// casAttempts bounds how often a change is tried again that met a concurrent one.
const casAttempts = 8

// Mint creates a credential and returns it with its token, which exists nowhere
// else; for the api kind, whose secret is the caller's, the token is empty. When Mint
// returns, this process's keyring accepts the credential.
//
// Errors: ErrInvalid, ErrSeal, ErrQuota, ErrClientIDTaken, ErrKeyReused, *ReplayError, ErrUnavailable.
func (s *Store) Mint(ctx context.Context, spec credential.Spec) (credential.Credential, string, error) {
	if err := spec.Validate(); err != nil {
		return credential.Credential{}, "", err
	}
	c, token, err := credential.NewCredential(spec)
	if err != nil {
		return credential.Credential{}, "", err
	}
	c.TenantAs = originOf(ctx).TenantAs
	if c.Verify, err = s.sealVerify(c.ID, spec.Verify); err != nil {
		return credential.Credential{}, "", err
	}
	if err := s.create(ctx, &c, ActionMint); err != nil {
		return credential.Credential{}, "", err
	}
	return c, token, nil
}

// create commits a new credential, and sets when it was created.
func (s *Store) create(ctx context.Context, c *credential.Credential, action string) error {
	var note auditNote // of an import none: NoteImport says how many there were
	if action != ActionImport {
		note = noteOf(action, c)
	}
	m := mutation{
		tenant:  c.Tenant,
		records: []recordWrite{{id: c.ID, set: recordFields(c), stamps: []string{fieldCreatedAt}}},
		digests: []keyring.DigestOp{{Digest: c.Digest, ID: c.ID, Key: keyOf(c)}},
		audit:   note,
		makes:   c.ID,
		limited: true,
	}
	m.counts(c)
	if c.ClientID != "" {
		m.clients = []clientOp{{clientID: c.ClientID, to: c.ID}}
	}
	at, err := s.commit(ctx, m)
	switch {
	case errors.Is(err, errConflict) && c.AtMatcher:
		return errIDTaken
	case errors.Is(err, errConflict):
		// The id is new, so this was our own commit: its reply got lost, and another
		// writer changed the credential before we asked again.
		return unavailable(action, err)
	case c.Kind == credential.KindAPI && (errors.Is(err, errDigestExists) || errors.Is(err, errDigestRevoked)):
		return fmt.Errorf("%w: the secret has been used for this client id before", credential.ErrInvalid)
	}
	c.CreatedAt = at
	return err
}

// Revoke ends a credential for good. Revoking it again changes nothing. When
// Revoke returns, this process's keyring refuses the token.
//
// Errors: ErrNotFound, ErrNotReplicated, ErrUnavailable.
func (s *Store) Revoke(ctx context.Context, ref Ref) error {
	return s.update(ctx, ref, func(c *credential.Credential) error {
		if !c.RevokedAt.IsZero() {
			// Maybe by another process a moment ago, whose ledger entry is still under way.
			s.keyring.Bury(c.Digest, c.ID)
			switch left, err := s.inBucket(ctx, c.Digest); {
			case err != nil:
				return err
			case left:
				return s.finishRevocation(ctx, c)
			}
			return s.awaitReplicas(ctx)
		}
		m := mutation{tenant: c.Tenant, audit: noteOf(ActionRevoke, c)}
		m.revoke(c)
		return s.commitRevocation(ctx, m, c)
	})
}

// inBucket reports whether Redis has a digest among the live ones.
func (s *Store) inBucket(ctx context.Context, d credential.Digest) (live bool, err error) {
	b, err := s.backend()
	if err != nil {
		return false, err
	}
	err = b.ask(ctx, func(node *redis.Client) (err error) {
		live, err = node.HExists(ctx, s.keys.bucketOf(d), string(d[:])).Result()
		return err
	})
	if err != nil {
		return false, unavailable("read a digest", err)
	}
	return live, nil
}

// finishRevocation takes the digest of a credential away whose record is revoked: the
// change was broken off between the two, by a command that an ACL denies say. The record
// alone revokes nothing.
func (s *Store) finishRevocation(ctx context.Context, c *credential.Credential) error {
	m := mutation{tenant: c.Tenant, audit: noteOf(ActionRevoke, c).with("broken off before, and finished")}
	m.remove(c)
	return s.commitRevocation(ctx, m, c)
}

// commitRevocation commits the end of c. Where c superseded a credential that is still
// in its grace, that one gets the client id back: an unrevoked credential has it.
func (s *Store) commitRevocation(ctx context.Context, m mutation, c *credential.Credential) error {
	// It also counts again: whoever revokes a successor has not made room by that.
	if before, err := s.inGrace(ctx, c); err == nil && before != nil {
		m.counts(before)
		if c.ClientID != "" {
			m.clients[0].to = before.ID
		}
	}
	_, err := s.commit(ctx, m)
	if errors.Is(err, ErrClientIDTaken) {
		// Whoever has it, a revocation is never held up by that.
		m.clients = nil
		_, err = s.commit(ctx, m)
	}
	return err
}

// revoke adds the end of a credential to a mutation.
func (m *mutation) revoke(c *credential.Credential, set ...string) {
	if c.Verify != nil && c.Verify.Sealed != "" {
		// Nobody needs them any more, and who steals a backup shall not have them.
		ended := *c.Verify
		ended.Sealed, ended.GraceUntil = "", time.Time{}
		set = append(set, fieldVerify, ended.Encode())
	}
	m.records = append(m.records, recordWrite{id: c.ID, version: c.Version, set: set, stamps: []string{fieldRevokedAt}})
	m.remove(c)
}

// remove takes away what lets a credential in.
func (m *mutation) remove(c *credential.Credential) {
	m.digests = append(m.digests, keyring.DigestOp{Digest: c.Digest, Removed: true, ID: c.ID})
	m.live = append(m.live, countOp{id: c.ID})
	if c.ClientID != "" {
		m.clients = append(m.clients, clientOp{clientID: c.ClientID, from: c.ID})
	}
}

// update reads a credential and lets change commit a new state of it, again if
// another writer came between.
func (s *Store) update(ctx context.Context, ref Ref, change func(*credential.Credential) error) error {
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
