package store

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

func rotateWith(t testing.TB, s *Store, c credential.Credential, r Rotation) (credential.Credential, string) {
	t.Helper()
	fresh, token, err := s.Rotate(t.Context(), ref(c), r)
	if err != nil {
		t.Fatalf("Rotate: %v", err)
	}
	return fresh, token
}

// accepted reports whether a guard would let the token in now.
func accepted(s *Store, token string) bool {
	key, standing := s.Keyring().Lookup(credential.DigestToken(token))
	return standing == keyring.Live && !key.Disabled && (key.ExpiresAt == 0 || s.Now().UnixMilli() < key.ExpiresAt)
}

func TestRotateWithGrace(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		old, oldToken := mint(t, s, webhookSpec())
		fresh, token := rotateWith(t, s, old, Rotation{Grace: time.Hour})
		if !accepted(s, oldToken) || !accepted(s, token) {
			t.Error("not both tokens are accepted")
		}
		retired := get(t, s, old)
		if retired.Status(s.Now()) != credential.StatusGrace || retired.SupersededBy != fresh.ID || !retired.RevokedAt.IsZero() {
			t.Errorf("the old record: %+v", retired)
		}
		// Every probe estimates Redis' clock anew, to within its round trip.
		if in := retired.GraceUntil.Sub(s.Now()); in > time.Hour+time.Minute || in < 50*time.Minute {
			t.Errorf("the grace lasts %v", in)
		}
		if key, _ := s.Keyring().Lookup(credential.DigestToken(oldToken)); key.ExpiresAt != retired.GraceUntil.UnixMilli() {
			t.Errorf("the keyring has expiry %d, the record %d", key.ExpiresAt, retired.GraceUntil.UnixMilli())
		}
		if stored := get(t, s, fresh); stored.Supersedes != old.ID || stored.Status(s.Now()) != credential.StatusActive || !stored.GraceUntil.IsZero() {
			t.Errorf("the new record: %+v", stored)
		}
		wantCounts(t, s, 0, 2)
		// Each has its own last use.
		at := markUsed(s, old, time.Now())
		s.flushNow(t)
		wantUsed(t, s, old, at)
		if used := get(t, s, fresh).LastUsedAt; !used.IsZero() {
			t.Errorf("the new one was used at %v", used)
		}
	})
}

func TestGraceEndsByItself(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		old, oldToken := mint(t, s, callbackSpec())
		fresh, _ := rotateWith(t, s, old, Rotation{Grace: 50 * time.Millisecond})
		awaitProof(t, s)
		before := node(t, s.opened.Load()).HGet(t.Context(), s.keys.meta(), "seq").Val()
		eventually(t, "the grace ends", func() bool { return !accepted(s, oldToken) })
		if after := node(t, s.opened.Load()).HGet(t.Context(), s.keys.meta(), "seq").Val(); after != before {
			t.Errorf("the end of a grace was written: %s, was %s", after, before)
		}
		retired := get(t, s, old)
		if retired.Status(s.Now()) != credential.StatusExpired || !retired.RevokedAt.IsZero() {
			t.Errorf("after the grace: %+v", retired)
		}
		for _, c := range []credential.Credential{old, fresh} {
			if _, err := s.Finish(t.Context(), ref(c)); err != ErrNoGrace {
				t.Errorf("Finish: %v", err)
			}
		}
		if _, _, err := s.Rotate(t.Context(), ref(old), Rotation{Force: true}); err != ErrInactive {
			t.Errorf("Rotate of what is past its grace: %v", err)
		}
		label := "x"
		if _, err := s.Update(t.Context(), ref(old), Patch{Label: &label}); err != ErrInactive {
			t.Errorf("Update of what is past its grace: %v", err)
		}
		rotateWith(t, s, fresh, Rotation{Grace: time.Hour}) // no grace is open
		revoke(t, s, old)
		wantStanding(t, s, oldToken, keyring.Revoked)
	})
}

func TestGraceEndsWithTheExpiry(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		spec := callbackSpec()
		spec.ExpiresAt = time.Now().Add(time.Minute)
		old, oldToken := mint(t, s, spec)
		fresh, _ := rotateWith(t, s, old, Rotation{Grace: time.Hour})
		for name, c := range map[string]credential.Credential{"old": get(t, s, old), "new": fresh} {
			if c.ExpiresAt != old.ExpiresAt {
				t.Errorf("the %s one expires at %v, want %v", name, c.ExpiresAt, old.ExpiresAt)
			}
		}
		if got := get(t, s, old); got.GraceUntil != old.ExpiresAt {
			t.Errorf("grace until %v, beyond the expiry %v", got.GraceUntil, old.ExpiresAt)
		}
		never := time.Time{}
		if _, err := s.Update(t.Context(), ref(old), Patch{ExpiresAt: &never}); err != nil {
			t.Fatal(err)
		}
		if key, _ := s.Keyring().Lookup(credential.DigestToken(oldToken)); key.ExpiresAt != old.ExpiresAt.UnixMilli() {
			t.Error("clearing the expiry prolonged the grace")
		}
	})
}

func TestOneGraceAtATime(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		first, firstToken := mint(t, s, callbackSpec())
		second, secondToken := rotateWith(t, s, first, Rotation{Grace: time.Hour})
		for name, r := range map[string]Rotation{"without grace": {}, "with grace": {Grace: time.Minute}} {
			if _, token, err := s.Rotate(t.Context(), ref(second), r); err != ErrGraceOpen || token != "" {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, force := range []bool{false, true} { // it has been replaced already
			if _, _, err := s.Rotate(t.Context(), ref(first), Rotation{Force: force}); err != ErrGraceOpen {
				t.Errorf("Rotate of the one in grace: %v", err)
			}
		}
		third, thirdToken := rotateWith(t, s, second, Rotation{Grace: time.Hour, Force: true})
		wantStanding(t, s, firstToken, keyring.Revoked)
		if !accepted(s, secondToken) || !accepted(s, thirdToken) {
			t.Error("not both of the last two are accepted")
		}
		rotateWith(t, s, third, Rotation{Force: true})
		wantStanding(t, s, secondToken, keyring.Revoked)
		wantStanding(t, s, thirdToken, keyring.Revoked)
		if revoked := get(t, s, second); revoked.RevokedAt.IsZero() {
			t.Errorf("not revoked: %+v", revoked)
		}
	})
}

func TestFinish(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		for _, by := range []string{"the old id", "the new id"} {
			old, oldToken := mint(t, s, callbackSpec())
			fresh, token := rotateWith(t, s, old, Rotation{Grace: time.Hour})
			named := old
			if by == "the new id" {
				named = fresh
			}
			foreign := ref(named)
			foreign.Tenant = otherTenant
			if _, err := s.Finish(t.Context(), foreign); err != ErrNotFound {
				t.Errorf("another tenant's, by %s: %v", by, err)
			}
			finished, err := s.Finish(t.Context(), ref(named))
			if err != nil {
				t.Fatalf("Finish by %s: %v", by, err)
			}
			stored := get(t, s, old)
			finished.Version = stored.Version
			if !reflect.DeepEqual(finished, stored) || stored.RevokedAt.IsZero() {
				t.Errorf("by %s: returned %+v, stored %+v", by, finished, stored)
			}
			wantStanding(t, s, oldToken, keyring.Revoked)
			wantStanding(t, s, token, keyring.Live)
			if _, err := s.Finish(t.Context(), ref(named)); err != ErrNoGrace {
				t.Errorf("again: %v", err)
			}
		}
	})
}

func TestGraceIsBounded(t *testing.T) {
	s := open(t, Config{EmbeddedDir: t.TempDir()})
	c, _ := mint(t, s, callbackSpec())
	for _, grace := range []time.Duration{-1, credential.MaxGrace + 1} {
		if _, _, err := s.Rotate(t.Context(), ref(c), Rotation{Grace: grace}); !errors.Is(err, credential.ErrInvalid) {
			t.Errorf("%v: %v", grace, err)
		}
	}
	rotateWith(t, s, c, Rotation{Grace: credential.MaxGrace})
}

func TestGraceOnOtherSidecars(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, a, b *Store) {
		old, oldToken := mint(t, a, callbackSpec())
		fresh, token := rotateWith(t, a, old, Rotation{Grace: time.Hour})
		until := get(t, a, old).GraceUntil.UnixMilli()
		eventually(t, "b knows the end of the grace", func() bool {
			key, standing := b.Keyring().Lookup(credential.DigestToken(oldToken))
			return standing == keyring.Live && key.ExpiresAt == until && accepted(b, token)
		})
		if _, err := b.Finish(t.Context(), ref(fresh)); err != nil {
			t.Fatal(err)
		}
		wantStanding(t, b, oldToken, keyring.Revoked)
		eventually(t, "a follows", func() bool { return standing(a, oldToken) == keyring.Revoked })
	})
}

// TestOneOfManyGracesWins: of rotations at the same time one succeeds, whatever they ask for.
func TestOneOfManyGracesWins(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, _ := mint(t, s, callbackSpec())
		race(20, func() {
			_, _, err := s.Rotate(t.Context(), ref(c), Rotation{Grace: time.Hour})
			if err != nil && err != ErrGraceOpen {
				t.Errorf("a losing rotation: %v", err)
			}
		})
		if all := list(t, s, tenant, credential.KindCallback); len(all) != 2 {
			t.Errorf("%d credentials", len(all))
		}
	})
}
