package store

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

const foreignToken = "sk-live_minted.elsewhere~1"

func importOf(t testing.TB, s *Store, spec credential.Spec, token string) (credential.Credential, bool) {
	t.Helper()
	c, created, err := s.Import(t.Context(), spec, Foreign{Digest: credential.DigestToken(token)})
	if err != nil {
		t.Fatalf("Import: %v", err)
	}
	return c, created
}

func TestImport(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		spec := webhookSpec()
		spec.Label, spec.Metadata, spec.ExpiresAt = "x", `{"a":1}`, time.Now().Add(time.Hour)
		spec.AllowedIPs = prefixes(t, "10.0.0.0/8")
		c, created := importOf(t, s, spec, foreignToken)
		if !created || !accepted(s, foreignToken) {
			t.Errorf("created %v, and the token is accepted: %v", created, accepted(s, foreignToken))
		}
		stored := get(t, s, c)
		c.Version = stored.Version
		if !reflect.DeepEqual(stored, c) || stored.Label != "x" || stored.Metadata != `{"a":1}` {
			t.Errorf("stored %+v\nreturned %+v", stored, c)
		}
		for range 2 {
			again, created := importOf(t, s, webhookSpec(), foreignToken)
			if created || !reflect.DeepEqual(again, stored) {
				t.Errorf("again: created %v, %+v", created, again)
			}
		}
		if all := list(t, s, tenant, credential.KindWebhook); len(all) != 1 {
			t.Errorf("%d credentials", len(all))
		}
	})
}

func TestImportRefuses(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		theirs := callbackSpec()
		theirs.Tenant = otherTenant
		importOf(t, s, theirs, foreignToken)
		minted, mintedToken := mint(t, s, callbackSpec())
		gone, goneToken := mint(t, s, callbackSpec())
		revoke(t, s, gone)
		rotated, rotatedToken := mint(t, s, callbackSpec())
		rotate(t, s, rotated)
		for name, test := range map[string]struct {
			spec  credential.Spec
			token string
			want  error
		}{
			"another tenant's": {callbackSpec(), foreignToken, ErrDigestTaken},
			"another kind's":   {webhookSpec(), mintedToken, ErrDigestTaken},
			"revoked":          {callbackSpec(), goneToken, ErrDigestTaken},
			"rotated out":      {callbackSpec(), rotatedToken, ErrDigestTaken},
			"revoked, theirs":  {theirs, goneToken, ErrDigestTaken},
			"api":              {apiSpec("billing", "one"), "x", credential.ErrInvalid},
			"no vendor":        {credential.Spec{Tenant: tenant, Kind: credential.KindWebhook}, "x", credential.ErrInvalid},
		} {
			if _, created, err := s.Import(t.Context(), test.spec, Foreign{Digest: credential.DigestToken(test.token)}); created || !errors.Is(err, test.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, _, err := s.Import(t.Context(), callbackSpec(), Foreign{Digest: credential.Digest{}}); !errors.Is(err, credential.ErrInvalid) {
			t.Errorf("no digest: %v", err)
		}
		wantStanding(t, s, goneToken, keyring.Revoked)
		wantStanding(t, s, rotatedToken, keyring.Revoked)
		if key, _ := s.Keyring().Lookup(credential.DigestToken(foreignToken)); key.Tenant != otherTenant {
			t.Error("the token changed hands")
		}
		if c, created := importOf(t, s, callbackSpec(), mintedToken); created || c.ID != minted.ID {
			t.Error("a token of our own is not recognised")
		}
	})
}

// TestRevokedDigestsStayOut also when the process that revoked them is gone.
func TestRevokedDigestsStayOut(t *testing.T) {
	t.Parallel()
	for _, b := range backEnds {
		t.Run(b.name, func(t *testing.T) {
			config := b.prepare(t)
			s := open(t, config)
			c, _ := importOf(t, s, callbackSpec(), foreignToken)
			revoke(t, s, c)
			destruct(t, s)
			s = open(t, config)
			if _, _, err := s.Import(t.Context(), callbackSpec(), Foreign{Digest: credential.DigestToken(foreignToken)}); err != ErrDigestTaken {
				t.Errorf("after a restart: %v", err)
			}
		})
	}
}

func TestConcurrentImports(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		ids := make(chan credential.Credential, 10)
		race(10, func() {
			c, _, err := s.Import(t.Context(), callbackSpec(), Foreign{Digest: credential.DigestToken(foreignToken)})
			if err != nil {
				t.Error(err)
			}
			ids <- c
		})
		close(ids)
		first := <-ids
		for c := range ids {
			if c.ID != first.ID {
				t.Errorf("imported as %v and as %v", first.ID, c.ID)
			}
		}
		if all := list(t, s, tenant, credential.KindCallback); len(all) != 1 {
			t.Errorf("%d credentials", len(all))
		}
	})
}
