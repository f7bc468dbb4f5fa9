package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// TestKeep: a token that Matcher minted is known under Matcher's id, and nobody else's
// credential gives way to it.
func TestKeep(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		token := Foreign{Digest: credential.DigestToken(foreignToken), ID: uuid.New()}
		c, err := s.Keep(t.Context(), callbackSpec(), token)
		if err != nil || c.ID != token.ID || !get(t, s, c).AtMatcher || !accepted(s, foreignToken) {
			t.Fatalf("kept as %+v, %v", c, err)
		}
		if again, created, err := s.Import(t.Context(), callbackSpec(), token); err != nil || created || again.ID != token.ID {
			t.Errorf("imported again: %v, %+v, %v", created, again, err)
		}
		theirs, other := callbackSpec(), Foreign{Digest: credential.DigestToken("other"), ID: token.ID}
		theirs.Tenant = otherTenant
		for name, spec := range map[string]credential.Spec{"another token": callbackSpec(), "another tenant": theirs} {
			if _, err := s.Keep(t.Context(), spec, other); !errors.Is(err, ErrDigestTaken) || accepted(s, "other") {
				t.Errorf("%s with the id: %v", name, err)
			}
		}
		if _, err := s.Keep(t.Context(), callbackSpec(), Foreign{Digest: token.Digest, ID: uuid.New()}); !errors.Is(err, ErrDigestTaken) {
			t.Errorf("the token with another id: %v", err)
		}
		if _, err := s.Keep(t.Context(), webhookSpec(), Foreign{Digest: credential.DigestToken("hook"), ID: uuid.New()}); !errors.Is(err, credential.ErrInvalid) {
			t.Errorf("a webhook token with an id: %v", err)
		}

		next := Foreign{Digest: credential.DigestToken("next"), ID: uuid.New()}
		fresh, minted, err := s.Rotate(t.Context(), Ref{Tenant: tenant, ID: c.ID}, Rotation{Foreign: &next})
		if err != nil || minted != "" || fresh.ID != next.ID || fresh.Supersedes != c.ID || !get(t, s, fresh).AtMatcher {
			t.Errorf("rotated to %+v, %q, %v", fresh, minted, err)
		}
		if accepted(s, foreignToken) || !accepted(s, "next") {
			t.Error("after the rotation the old token is accepted, or the new one is not")
		}
		revoke(t, s, fresh)
		if _, _, err := s.Import(t.Context(), callbackSpec(), next); err != ErrDigestTaken {
			t.Errorf("a revoked one is imported: %v", err)
		}
	})
}

// TestLastUses: of the tenant's own credentials, written or not.
func TestLastUses(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		used, _ := mint(t, s, callbackSpec())
		unused, _ := mint(t, s, callbackSpec())
		spec := callbackSpec()
		spec.Tenant = otherTenant
		theirs, _ := mint(t, s, spec)
		at := time.Now().UTC().Truncate(time.Millisecond)
		s.MarkUsed(used.ID, at)
		s.MarkUsed(theirs.ID, at)
		uses, err := s.LastUses(t.Context(), tenant, []uuid.UUID{used.ID, unused.ID, theirs.ID, uuid.New()})
		if err != nil || len(uses) != 1 || uses[used.ID].IsZero() {
			t.Errorf("%v, %v", uses, err)
		}
	})
}
