package store

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// Every test here holds on every back end: what Redis, miniredis and the embedded
// store do for an operator must not differ.

func TestMintedTokenWorksAtOnce(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		expires := time.Now().Add(time.Hour)
		webhook := webhookSpec()
		webhook.ExpiresAt = expires
		for _, spec := range []credential.Spec{callbackSpec(), webhook} {
			c, token := mint(t, s, spec)
			key, standing := s.Keyring().Lookup(credential.DigestToken(token))
			if standing != keyring.Live {
				t.Fatalf("%s: the keyring says %v", spec.Kind, standing)
			}
			want := keyring.Identity{Tenant: spec.Tenant, Kind: spec.Kind, Vendor: spec.Vendor, Connection: spec.Connection, Label: spec.Label}
			if key.ID != c.ID || !reflect.DeepEqual(*key.Identity, want) {
				t.Errorf("%s: the keyring holds %v %+v, want %v %+v", spec.Kind, key.ID, *key.Identity, c.ID, want)
			}
			if !spec.ExpiresAt.IsZero() && key.ExpiresAt != expires.UnixMilli() {
				t.Errorf("expiry in the keyring = %d, want %d", key.ExpiresAt, expires.UnixMilli())
			}
			if !credential.WellFormedToken(token) || !strings.HasPrefix(token, spec.Kind.TokenPrefix()) || len(token) != 53 {
				t.Errorf("%s: token of an unexpected shape", spec.Kind)
			}
		}
		wantCounts(t, s, 1, 1)
	})
}

func wantCounts(t *testing.T, s *Store, callbacks, webhooks int) {
	t.Helper()
	counts := s.Stats(time.Now()).Credentials
	if counts[credential.KindCallback] != callbacks || counts[credential.KindWebhook] != webhooks {
		t.Errorf("live credentials: %v, want %d callback and %d webhook", counts, callbacks, webhooks)
	}
}

func TestRecordReadsBackAsMinted(t *testing.T) {
	longest := callbackSpec()
	longest.Label = strings.Repeat("\U0001F511", credential.MaxLabelLength) // four bytes each
	expiring := webhookSpec()
	expiring.Connection = strings.Repeat("\u00e9", credential.MaxConnectionLength)
	expiring.ExpiresAt = time.Now().Add(time.Hour)
	bare := credential.Spec{Tenant: tenant, Kind: credential.KindCallback}
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		for _, spec := range []credential.Spec{callbackSpec(), webhookSpec(), longest, expiring, bare} {
			before := time.Now().Add(-time.Millisecond)
			minted, token := mint(t, s, spec)
			got := get(t, s, minted)
			if got.Version == "" || got.Digest != credential.DigestToken(token) {
				t.Error("the record has no version or another digest")
			}
			minted.Version = got.Version
			if !reflect.DeepEqual(got, minted) {
				t.Errorf("Get = %+v\nMint = %+v", got, minted)
			}
			if got.CreatedAt.Before(before.Truncate(time.Millisecond)) || got.CreatedAt.After(time.Now().Add(time.Second)) {
				t.Errorf("created at %v, now is %v", got.CreatedAt, time.Now())
			}
			if want := spec.ExpiresAt.UTC().Truncate(time.Millisecond); got.ExpiresAt != want {
				t.Errorf("expires at %v, want %v", got.ExpiresAt, want)
			}
			if got.Label != spec.Label || got.Vendor != spec.Vendor || got.Connection != spec.Connection {
				t.Errorf("label or binding changed: %+v", got)
			}
			if key, _ := s.Keyring().Lookup(got.Digest); key.Label != spec.Label {
				t.Errorf("label in the keyring = %q", key.Label)
			}
			if !got.RotatedAt.IsZero() || !got.RevokedAt.IsZero() || !got.LastUsedAt.IsZero() || got.Status(time.Now()) != credential.StatusActive {
				t.Errorf("a fresh credential is not plainly active: %+v", got)
			}
		}
	})
}

func TestMintRefusesWhatIsOutOfLimits(t *testing.T) {
	tests := map[string]func(*credential.Spec){
		"no tenant":             func(s *credential.Spec) { s.Tenant = uuid.Nil },
		"no kind":               func(s *credential.Spec) { s.Kind = "" },
		"unknown kind":          func(s *credential.Spec) { s.Kind = "password" },
		"label too long":        func(s *credential.Spec) { s.Label = strings.Repeat("x", credential.MaxLabelLength+1) },
		"control character":     func(s *credential.Spec) { s.Label = "a\nb" },
		"C1 control character":  func(s *credential.Spec) { s.Label = "a\u0085b" },
		"not UTF-8":             func(s *credential.Spec) { s.Label = "\xff" },
		"expiry is no instant":  func(s *credential.Spec) { s.ExpiresAt = time.UnixMilli(0) },
		"expiry before 1970":    func(s *credential.Spec) { s.ExpiresAt = time.UnixMilli(-1) },
		"callback with binding": func(s *credential.Spec) { s.Vendor, s.Connection = "belvo", "main" },
		"no vendor":             func(s *credential.Spec) { *s = webhookSpec(); s.Vendor = "" },
		"vendor in upper case":  func(s *credential.Spec) { *s = webhookSpec(); s.Vendor = "Belvo" },
		"vendor too long":       func(s *credential.Spec) { *s = webhookSpec(); s.Vendor = strings.Repeat("b", 33) },
		"no connection":         func(s *credential.Spec) { *s = webhookSpec(); s.Connection = "" },
		"connection too long": func(s *credential.Spec) {
			*s = webhookSpec()
			s.Connection = strings.Repeat("c", credential.MaxConnectionLength+1)
		},
		"connection not plain": func(s *credential.Spec) { *s = webhookSpec(); s.Connection = "a\x00b" },
	}
	s := open(t, Config{EmbeddedDir: t.TempDir()})
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			spec := callbackSpec()
			spoil(&spec)
			if _, token, err := s.Mint(t.Context(), spec); !errors.Is(err, credential.ErrInvalid) || token != "" {
				t.Errorf("Mint: token %t, error %v, want ErrInvalid", token != "", err)
			}
		})
	}
	wantCounts(t, s, 0, 0)
}

func TestListIsNewestFirstAndComplete(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		var want []uuid.UUID // many of them within one millisecond
		var last credential.Credential
		for range 60 {
			last, _ = mint(t, s, callbackSpec())
			want = append(want, last.ID)
		}
		slices.Reverse(want)
		revoke(t, s, last)
		if got := ids(list(t, s, tenant, credential.KindCallback)); !slices.Equal(got, want) {
			t.Errorf("List is not newest first:\n got %v\nwant %v", got, want)
		}
		if first := list(t, s, tenant, credential.KindCallback)[0]; first.RevokedAt.IsZero() {
			t.Error("the revoked credential is listed without revokedAt")
		}
	})
}

func TestListBeyondOneBatch(t *testing.T) {
	t.Parallel()
	s := open(t, Config{EmbeddedDir: t.TempDir()})
	want := make([]uuid.UUID, readBatch+1)
	for i := range want {
		c, _ := mint(t, s, callbackSpec())
		want[len(want)-1-i] = c.ID
	}
	if got := ids(list(t, s, tenant, credential.KindCallback)); !slices.Equal(got, want) {
		t.Errorf("%d credentials listed, %d minted, or in another order", len(got), len(want))
	}
}

func ids(all []credential.Credential) []uuid.UUID {
	ids := make([]uuid.UUID, len(all))
	for i, c := range all {
		ids[i] = c.ID
	}
	return ids
}

func TestTenantsAndKindsAreIsolated(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		callback, token := mint(t, s, callbackSpec())
		webhook, _ := mint(t, s, webhookSpec())
		other := uuid.New()
		if got := list(t, s, other, credential.KindCallback); len(got) != 0 {
			t.Errorf("another tenant sees %v", got)
		}
		if got := ids(list(t, s, tenant, credential.KindCallback)); !slices.Equal(got, []uuid.UUID{callback.ID}) {
			t.Errorf("callbacks: %v", got)
		}
		if got := ids(list(t, s, tenant, credential.KindWebhook)); !slices.Equal(got, []uuid.UUID{webhook.ID}) {
			t.Errorf("webhooks: %v", got)
		}
		for name, ref := range map[string]Ref{
			"another tenant": {Tenant: other, Kind: credential.KindCallback, ID: callback.ID},
			"another kind":   {Tenant: tenant, Kind: credential.KindWebhook, ID: callback.ID},
			"no such id":     {Tenant: tenant, Kind: credential.KindCallback, ID: uuid.New()},
			"nothing":        {},
		} {
			if _, err := s.Get(t.Context(), ref); err != ErrNotFound {
				t.Errorf("Get of %s: %v", name, err)
			}
			if _, _, err := s.Rotate(t.Context(), ref, Rotation{}); err != ErrNotFound {
				t.Errorf("Rotate of %s: %v", name, err)
			}
			if err := s.Revoke(t.Context(), ref); err != ErrNotFound {
				t.Errorf("Revoke of %s: %v", name, err)
			}
		}
		wantStanding(t, s, token, keyring.Live)
		if got := get(t, s, callback); !got.RevokedAt.IsZero() {
			t.Error("a stranger revoked it")
		}
	})
}

func TestConcurrentMints(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		const writers, each = 10, 10
		var mu sync.Mutex
		tokens := map[string]bool{}
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				for range each {
					_, token, err := s.Mint(t.Context(), callbackSpec())
					if err != nil {
						t.Error(err)
						return
					}
					if standing(s, token) != keyring.Live {
						t.Error("Mint returned before the keyring accepts the token")
					}
					mu.Lock()
					tokens[token] = true
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if len(tokens) != writers*each || len(list(t, s, tenant, credential.KindCallback)) != writers*each {
			t.Errorf("%d tokens, %d listed, want %d", len(tokens), len(list(t, s, tenant, credential.KindCallback)), writers*each)
		}
		// The ledger brings every one of them again, and none is counted twice.
		awaitProof(t, s)
		wantCounts(t, s, writers*each, 0)
	})
}
