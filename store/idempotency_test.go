package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// repeated is a request with an idempotency key.
func repeated(t testing.TB, key, asks string) context.Context {
	return WithOrigin(t.Context(), Origin{IdempotencyKey: key, Fingerprint: sha256.Sum256([]byte(asks))})
}

func wantReplay(t testing.TB, err error, of uuid.UUID) {
	t.Helper()
	var replay *ReplayError
	if !errors.As(err, &replay) || replay.Credential != of {
		t.Errorf("%v, want a replay of %v", err, of)
	}
}

func TestRepeatedMint(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		first, token, err := s.Mint(repeated(t, "key", "a"), callbackSpec())
		if err != nil || !accepted(s, token) {
			t.Fatal(err)
		}
		for range 2 {
			_, token, err := s.Mint(repeated(t, "key", "a"), callbackSpec())
			wantReplay(t, err, first.ID)
			if token != "" {
				t.Error("a replay has a token")
			}
		}
		if _, _, err := s.Mint(repeated(t, "key", "b"), callbackSpec()); err != ErrKeyReused {
			t.Errorf("the same key for another request: %v", err)
		}
		if _, _, err := s.Rotate(repeated(t, "key", "b"), ref(first), Rotation{}); err != ErrKeyReused {
			t.Errorf("the same key for a rotation: %v", err)
		}
		other := callbackSpec()
		other.Tenant = otherTenant
		if _, _, err := s.Mint(repeated(t, "key", "b"), other); err != nil {
			t.Errorf("the same key of another tenant: %v", err)
		}
		for _, key := range []string{"Key", "key ", ""} {
			if _, _, err := s.Mint(repeated(t, key, "a"), callbackSpec()); err != nil {
				t.Errorf("key %q: %v", key, err)
			}
		}
		if all := list(t, s, tenant, credential.KindCallback); len(all) != 4 {
			t.Errorf("%d credentials", len(all))
		}
		// A repeated request is a replay whatever became of the credential.
		revoke(t, s, first)
		_, _, err = s.Mint(repeated(t, "key", "a"), callbackSpec())
		wantReplay(t, err, first.ID)
	})
}

func TestRepeatedRotation(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		for _, grace := range []time.Duration{0, time.Hour} {
			key := fmt.Sprint("rotate", grace)
			c, _ := mint(t, s, callbackSpec())
			fresh, _, err := s.Rotate(repeated(t, key, "a"), ref(c), Rotation{Grace: grace})
			if err != nil {
				t.Fatal(err)
			}
			_, token, err := s.Rotate(repeated(t, key, "a"), ref(c), Rotation{Grace: grace})
			wantReplay(t, err, fresh.ID)
			if token != "" {
				t.Error("a replay has a token")
			}
		}
	})
}

// TestARefusedRequestUsesUpNoKey: what changed nothing can be tried again, repaired.
func TestARefusedRequestUsesUpNoKey(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		mint(t, s, apiSpec("taken", "one"))
		if _, _, err := s.Mint(repeated(t, "key", "a"), apiSpec("taken", "two")); err != ErrClientIDTaken {
			t.Fatal(err)
		}
		if _, _, err := s.Mint(repeated(t, "key", "b"), apiSpec("free", "two")); err != nil {
			t.Errorf("after a refusal: %v", err)
		}
	})
}

func TestConcurrentRequestsWithOneKey(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, _ := mint(t, s, callbackSpec())
		for name, request := range map[string]func(context.Context) error{
			"mint":   func(ctx context.Context) error { _, _, err := s.Mint(ctx, callbackSpec()); return err },
			"rotate": func(ctx context.Context) error { _, _, err := s.Rotate(ctx, ref(c), Rotation{}); return err },
		} {
			var made atomic.Int64
			race(10, func() {
				var replay *ReplayError
				if err := request(repeated(t, name, name)); err == nil {
					made.Add(1)
				} else if !errors.As(err, &replay) {
					t.Errorf("%s: %v", name, err)
				}
			})
			if made.Load() != 1 {
				t.Errorf("%s: %d requests with one key made something", name, made.Load())
			}
		}
	})
}

func TestLostReplyOfARepeatableRequest(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		s.loseReplies(1, nil)
		if _, token, err := s.Mint(repeated(t, "one", "a"), callbackSpec()); err != nil || token == "" {
			t.Errorf("a reply that was asked for again: %v", err)
		}
		s.loseReplies(2, nil)
		if _, _, err := s.Mint(repeated(t, "two", "a"), callbackSpec()); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("no reply at all: %v", err)
		}
		_, _, err := s.Mint(repeated(t, "two", "a"), callbackSpec())
		wantReplay(t, err, list(t, s, tenant, credential.KindCallback)[0].ID)
	})
}

func TestIdempotencyKeysAreForgottenAfterADay(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		start := time.Now().Add(-30 * time.Hour)
		var now atomic.Int64
		now.Store(start.UnixMilli())
		back := s.at(now.Load)
		first, _, err := s.Mint(repeated(t, "old", "a"), callbackSpec())
		if err != nil {
			t.Fatal(err)
		}
		for i := range 150 { // more than one change forgets
			if _, _, err := s.Mint(repeated(t, fmt.Sprint(i), "a"), callbackSpec()); err != nil {
				t.Fatal(err)
			}
		}
		now.Store(start.Add(idempotencyLife).UnixMilli() - 1)
		_, _, err = s.Mint(repeated(t, "old", "a"), callbackSpec())
		wantReplay(t, err, first.ID)
		now.Store(start.Add(idempotencyLife).UnixMilli())
		again, _, err := s.Mint(repeated(t, "old", "b"), callbackSpec())
		if err != nil {
			t.Fatalf("after 24 hours: %v", err)
		}
		_, _, err = s.Mint(repeated(t, "old", "b"), callbackSpec())
		wantReplay(t, err, again.ID)
		if _, _, err := s.Mint(repeated(t, "new", "a"), callbackSpec()); err != nil {
			t.Fatal(err)
		}
		back()

		done, byAge := s.keys.idempotency(tenant)
		client := node(t, s.opened.Load())
		if n, m := client.HLen(t.Context(), done).Val(), client.ZCard(t.Context(), byAge).Val(); n != 2 || m != 2 {
			t.Errorf("%d and %d keys are remembered, want the last 2", n, m)
		}
		// The look before a rotation forgets as the script does.
		if err := s.replayed(repeated(t, "0", "a"), tenant); err != nil {
			t.Errorf("a forgotten key: %v", err)
		}
	})
}

// TestIdempotencyKeyIsOneStepWithTheChange: neither without the other.
func TestIdempotencyKeyIsOneStepWithTheChange(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, s, _ *Store) {
		client := node(t, s.opened.Load())
		_, byAge := s.keys.idempotency(tenant)
		client.SAdd(t.Context(), byAge, "not ours")
		if _, _, err := s.Mint(repeated(t, "key", "a"), callbackSpec()); !errors.Is(err, ErrUnavailable) {
			t.Errorf("Mint: %v", err)
		}
		if all := list(t, s, tenant, credential.KindCallback); len(all) != 0 {
			t.Errorf("minted without remembering the key: %v", all)
		}
		mint(t, s, callbackSpec()) // needs no key
	})
}

func TestIdempotencyKeysAreNotStored(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		if _, _, err := s.Mint(repeated(t, "a-secret-in-the-wrong-place", "a"), callbackSpec()); err != nil {
			t.Fatal(err)
		}
		done, _ := s.keys.idempotency(tenant)
		wantNoSecrets(t, fmt.Sprint(node(t, s.opened.Load()).HGetAll(t.Context(), done).Val()), "secret")
	})
}
