package store

import (
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

func prefixes(t testing.TB, texts ...string) []netip.Prefix {
	t.Helper()
	var list []netip.Prefix
	for _, text := range texts {
		prefix, err := credential.ParsePrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, prefix)
	}
	return list
}

func TestUpdate(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, token := mint(t, s, webhookSpec())
		label, expires := "renamed", time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
		ips := prefixes(t, "10.0.0.0/8", "203.0.113.7")
		for _, step := range []struct {
			patch Patch
			want  func(*credential.Credential)
		}{
			{Patch{}, func(*credential.Credential) {}},
			{Patch{Label: &label}, func(c *credential.Credential) { c.Label = label }},
			{Patch{ExpiresAt: &expires}, func(c *credential.Credential) { c.ExpiresAt = expires }},
			{Patch{AllowedIPs: &ips}, func(c *credential.Credential) { c.AllowedIPs = ips }},
			{Patch{Label: new(string), ExpiresAt: new(time.Time), AllowedIPs: new([]netip.Prefix)}, func(c *credential.Credential) {
				c.Label, c.ExpiresAt, c.AllowedIPs = "", time.Time{}, nil
			}},
		} {
			step.want(&c)
			updated, err := s.Update(t.Context(), ref(c), step.patch)
			if err != nil {
				t.Fatal(err)
			}
			stored := get(t, s, c)
			updated.Version, c.Version = stored.Version, stored.Version
			if !reflect.DeepEqual(updated, c) || !reflect.DeepEqual(stored, c) {
				t.Errorf("updated %+v\nstored %+v\nwant %+v", updated, stored, c)
			}
			key, standing := s.Keyring().Lookup(credential.DigestToken(token))
			if want := keyOf(&c); standing != keyring.Live || !reflect.DeepEqual(key, want) {
				t.Errorf("the keyring has %v %+v, want %+v", standing, key, want)
			}
		}
		wantCounts(t, s, 0, 1)
		before1970, foreign := time.UnixMilli(-1), ref(c)
		foreign.Tenant = otherTenant
		long := string(make([]byte, 200))
		for name, test := range map[string]struct {
			ref   Ref
			patch Patch
			want  error
		}{
			"label":          {ref(c), Patch{Label: &long}, credential.ErrInvalid},
			"expiry":         {ref(c), Patch{ExpiresAt: &before1970}, credential.ErrInvalid},
			"another tenant": {foreign, Patch{Label: &label}, ErrNotFound},
			"kind":           {Ref{Tenant: c.Tenant, Kind: credential.KindCallback, ID: c.ID}, Patch{Label: &label}, ErrNotFound},
		} {
			if _, err := s.Update(t.Context(), test.ref, test.patch); !errors.Is(err, test.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		revoke(t, s, c)
		if _, err := s.Update(t.Context(), ref(c), Patch{}); err != ErrInactive {
			t.Errorf("revoked: %v", err)
		}
		wantStanding(t, s, token, keyring.Revoked)
	})
}

func TestUpdateReachesOtherSidecars(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, a, b *Store) {
		c, token := mint(t, a, callbackSpec())
		eventually(t, "b accepts the token", func() bool { return accepted(b, token) })
		past, ips := time.Now().Add(-time.Minute), prefixes(t, "10.0.0.0/8")
		if _, err := a.Update(t.Context(), ref(c), Patch{AllowedIPs: &ips}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "b knows the addresses", func() bool {
			key, _ := b.Keyring().Lookup(credential.DigestToken(token))
			return reflect.DeepEqual(key.AllowedIPs, ips)
		})
		if _, err := b.Update(t.Context(), ref(c), Patch{ExpiresAt: &past}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "a knows the expiry", func() bool { return !accepted(a, token) })
		if _, err := a.Update(t.Context(), ref(c), Patch{ExpiresAt: new(time.Time)}); err != nil {
			t.Fatalf("prolonging what has expired: %v", err)
		}
		eventually(t, "b accepts it again", func() bool { return accepted(b, token) })
	})
}

func TestUpdateAgainstRevoke(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		for range 5 {
			c, token := mint(t, s, callbackSpec())
			labels := make(chan string, 8)
			for i := range 8 {
				labels <- string(rune('a' + i))
			}
			race(8, func() {
				label := <-labels
				if label == "d" {
					revoke(t, s, c)
				} else if _, err := s.Update(t.Context(), ref(c), Patch{Label: &label}); err != nil && err != ErrInactive {
					t.Error(err)
				}
			})
			wantStanding(t, s, token, keyring.Revoked)
			live, err := node(t, s.opened.Load()).HExists(t.Context(), s.keys.bucketOf(c.Digest), string(c.Digest[:])).Result()
			if live || err != nil {
				t.Errorf("the digest is live again: %v, %v", live, err)
			}
		}
	})
}
