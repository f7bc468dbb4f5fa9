package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
)

// Origin says where a change comes from, for the audit log, and lets a client that
// lost our answer repeat its request.
type Origin struct {
	// Actor is who asks: the sub claim of the operator's JWT.
	Actor string
	// TenantAs is how that JWT spells the tenant: a credential that is minted or rotated
	// keeps it.
	TenantAs credential.TenantSpelling
	// Address is from where they ask; zero where it is not known.
	Address netip.Addr
	// RequestID is the id of the request, as the client got it.
	RequestID string
	// Reason is why, in the operator's words.
	Reason string
	// IdempotencyKey names the request. Within 24 hours a second request of the
	// tenant with the same key changes nothing: it gets a ReplayError if Fingerprint
	// is the same too, otherwise ErrKeyReused.
	IdempotencyKey string
	// Fingerprint is what the request asks for.
	Fingerprint [sha256.Size]byte
}

type originKey struct{}

// WithOrigin returns a context whose changes come from o.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// systemActor is who changes come from that no operator asked for.
const systemActor = "hookgate"

func originOf(ctx context.Context) Origin {
	if o, ok := ctx.Value(originKey{}).(Origin); ok {
		return o
	}
	return Origin{Actor: systemActor}
}

// idempotency returns the key and the fingerprint as they are stored. Keys are
// hashed: clients choose them, and they may be long or hold anything.
func (o Origin) idempotency() (key, fingerprint string) {
	if o.IdempotencyKey == "" {
		return "", ""
	}
	sum := sha256.Sum256([]byte(o.IdempotencyKey))
	return hex.EncodeToString(sum[:16]), hex.EncodeToString(o.Fingerprint[:])
}

// idempotencyLife is how long a key is remembered; lua/mutate.lua has it too.
const idempotencyLife = 24 * time.Hour

// ReplayError: the request was made before with the same idempotency key, and made
// this credential then. Its token is gone.
type ReplayError struct{ Credential uuid.UUID }

// Error implements error.
func (e *ReplayError) Error() string { return "the request was made before" }

// replayed returns what a request with the origin's idempotency key would get. It says
// that something was done only where replicas have it.
func (s *Store) replayed(ctx context.Context, tenant uuid.UUID) error {
	key, fingerprint := originOf(ctx).idempotency()
	if key == "" {
		return nil
	}
	b, err := s.backend()
	if err != nil {
		return err
	}
	done, byAge := s.keys.idempotency(tenant)
	var before string
	var at float64
	err = b.ask(ctx, func(node *redis.Client) (err error) {
		if before, err = node.HGet(ctx, done, key).Result(); err == nil {
			at, err = node.ZScore(ctx, byAge, key).Result()
		}
		return err
	})
	switch {
	case errors.Is(err, redis.Nil):
		return nil
	case err != nil:
		return unavailable("read an idempotency key", err)
	case int64(at) <= s.clock.Now().Add(-idempotencyLife).UnixMilli():
		return nil
	case !strings.HasPrefix(before, fingerprint):
		return ErrKeyReused
	}
	if err := s.awaitReplicas(ctx); err != nil {
		return err
	}
	return refusal(statusReplay, []string{before[len(fingerprint):]})
}
