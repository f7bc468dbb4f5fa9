package store

import (
	"context"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// SetDisabled disables a credential, so that its token is refused, or enables it again. What
// it has otherwise stays, and its expiry and grace run on. Where it is so already, nothing
// changes. When SetDisabled returns, this process's keyring holds to it.
//
// Errors: ErrNotFound, ErrInactive (it is revoked), ErrNotReplicated, ErrUnavailable.
func (s *Store) SetDisabled(ctx context.Context, ref Ref, disabled bool) (credential.Credential, error) {
	action := ActionEnable
	if disabled {
		action = ActionDisable
	}
	var changed credential.Credential
	err := s.update(ctx, ref, func(c *credential.Credential) error {
		changed = *c
		changed.Disabled = disabled
		if !c.RevokedAt.IsZero() {
			return ErrInactive
		}
		m := mutation{
			tenant:  c.Tenant,
			records: []recordWrite{{id: c.ID, version: c.Version, set: expiryFields(&changed)}},
			digests: []keyring.DigestOp{{Digest: c.Digest, Changes: true, ID: c.ID, Key: keyOf(&changed)}},
			audit:   noteOf(action, c),

			disables: disabled,
		}
		if !disabled {
			m.records[0].set = append(m.records[0].set, fieldDisabled, "")
		}
		if c.Disabled == disabled {
			if key, standing := s.keyring.Lookup(c.Digest); standing == keyring.Live && key.Disabled == disabled {
				return s.awaitReplicas(ctx)
			}
			// By another process a moment ago, whose ledger entry is still under way.
			m.audit = auditNote{}
		}
		_, err := s.commit(ctx, m)
		return err
	})
	return changed, err
}
