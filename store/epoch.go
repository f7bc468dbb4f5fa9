package store

import "context"

// NewEpoch declares the data set to be a new one, and returns its epoch. Every
// sidecar that knew another takes it, whatever it holds, and what it remembers as
// revoked in the old one is forgotten. It is the way out where Redis was emptied, or
// restored from a backup on purpose. Errors: ErrUnavailable.
func (s *Store) NewEpoch(ctx context.Context) (string, error) {
	b, err := s.backend()
	if err != nil {
		return "", err
	}
	epoch := randomHex()
	if _, err := b.scripts.Run(ctx, epochScript, 0, []string{s.keys.meta()}, []any{epoch}); err != nil {
		return "", unavailable("declare a new epoch", err)
	}
	return epoch, nil
}
