package store

import (
	"crypto/sha256"
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// secretHash is what a caller sends of a client secret.
func secretHash(secret string) credential.Digest { return sha256.Sum256([]byte(secret)) }

func apiSpec(clientID, secret string) credential.Spec {
	return credential.Spec{
		Tenant: tenant, Kind: credential.KindAPI, Label: "Billing", ClientID: clientID, SecretHash: secretHash(secret),
		Scopes: []string{"products:write", "products:read", "products:read"}, Metadata: `{"owner":"billing"}`,
	}
}

func apiStanding(s *Store, clientID, secret string) keyring.Standing {
	_, standing := s.Keyring().Lookup(credential.DigestAPISecret(clientID, secretHash(secret)))
	return standing
}

func wantAPI(t testing.TB, s *Store, clientID, secret string, want keyring.Standing) {
	t.Helper()
	if got := apiStanding(s, clientID, secret); got != want {
		t.Errorf("%s with %q is %v, want %v", clientID, secret, got, want)
	}
}

var otherTenant = uuid.MustParse("22222222-2222-4222-8222-222222222222")

func TestAPICredential(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, token := mint(t, s, apiSpec("billing", "one"))
		if token != "" {
			t.Error("an api credential has a token")
		}
		key, standing := s.Keyring().Lookup(credential.DigestAPISecret("billing", secretHash("one")))
		want := keyring.Identity{Tenant: tenant, Kind: credential.KindAPI, Label: "Billing", Scopes: []string{"products:read", "products:write"}}
		if standing != keyring.Live || key.ID != c.ID || !reflect.DeepEqual(*key.Identity, want) {
			t.Errorf("the keyring holds %v %+v", standing, key)
		}
		got := get(t, s, c)
		c.Version = got.Version
		if !reflect.DeepEqual(got, c) {
			t.Errorf("Get = %+v\nMint = %+v", got, c)
		}
		// The digest is bound to the client id: neither half alone, nor with another, opens.
		for _, d := range []credential.Digest{
			secretHash("one"), credential.DigestToken("one"), credential.DigestToken("billing:one"), credential.DigestAPISecret("billing2", secretHash("one")),
			credential.DigestAPISecret("", secretHash("one")), credential.DigestAPISecret("billing", secretHash("two")),
		} {
			if _, standing := s.Keyring().Lookup(d); standing != keyring.Unknown {
				t.Errorf("another digest is %v", standing)
			}
		}
		mint(t, s, apiSpec("another", "one"))
		if counts := s.Stats(time.Now()).Credentials; counts[credential.KindAPI] != 2 {
			t.Errorf("live credentials: %v", counts)
		}
	})
}

func TestAPISpecs(t *testing.T) {
	s := open(t, Config{EmbeddedDir: t.TempDir()})
	for name, spoil := range map[string]func(*credential.Spec){
		"no client id":     func(s *credential.Spec) { s.ClientID = "" },
		"space":            func(s *credential.Spec) { s.ClientID = "a b" },
		"colon":            func(s *credential.Spec) { s.ClientID = "a:b" },
		"not ASCII":        func(s *credential.Spec) { s.ClientID = "é" },
		"long client id":   func(s *credential.Spec) { s.ClientID = string(make([]byte, credential.MaxClientIDLength+1)) },
		"no secret":        func(s *credential.Spec) { s.SecretHash = credential.Digest{} },
		"empty scope":      func(s *credential.Spec) { s.Scopes = []string{""} },
		"scope with space": func(s *credential.Spec) { s.Scopes = []string{"a b"} },
		"many scopes":      func(s *credential.Spec) { s.Scopes = make([]string, credential.MaxScopes+1) },
		"metadata list":    func(s *credential.Spec) { s.Metadata = "[]" },
		"metadata null":    func(s *credential.Spec) { s.Metadata = "null" },
		"metadata no JSON": func(s *credential.Spec) { s.Metadata = "{" },
		"vendor":           func(s *credential.Spec) { s.Vendor = "belvo" },
		"callback":         func(s *credential.Spec) { s.Kind = credential.KindCallback },
	} {
		spec := apiSpec("billing", "one")
		spoil(&spec)
		if _, _, err := s.Mint(t.Context(), spec); !errors.Is(err, credential.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClientIDsBelongToOne(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, _ := mint(t, s, apiSpec("billing", "one"))
		theirs := apiSpec("billing", "two")
		theirs.Tenant = otherTenant
		guess := apiSpec("billing", "one") // whoever guesses the secret must not learn so
		guess.Tenant = otherTenant
		for _, spec := range []credential.Spec{apiSpec("billing", "two"), theirs, guess} {
			if _, _, err := s.Mint(t.Context(), spec); err != ErrClientIDTaken {
				t.Errorf("a taken client id: %v", err)
			}
		}
		wantAPI(t, s, "billing", "two", keyring.Unknown)
		revoke(t, s, c)
		revoke(t, s, c) // frees it once
		mint(t, s, theirs)
		wantAPI(t, s, "billing", "one", keyring.Revoked)
		wantAPI(t, s, "billing", "two", keyring.Live)
		revoke(t, s, c) // and not from its new owner
		if _, _, err := s.Mint(t.Context(), apiSpec("billing", "three")); err != ErrClientIDTaken {
			t.Errorf("a revocation long ago freed another's client id: %v", err)
		}
	})
}

func TestSecretsAreUsedOnce(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, _ := mint(t, s, apiSpec("billing", "one"))
		if _, _, err := s.Rotate(t.Context(), ref(c), Rotation{SecretHash: secretHash("one")}); !errors.Is(err, credential.ErrInvalid) {
			t.Errorf("rotation to the same secret: %v", err)
		}
		if err := s.ReplaceSecret(t.Context(), ref(c), secretHash("one")); !errors.Is(err, credential.ErrInvalid) {
			t.Errorf("replacement by the same secret: %v", err)
		}
		revoke(t, s, c)
		if _, _, err := s.Mint(t.Context(), apiSpec("billing", "one")); !errors.Is(err, credential.ErrInvalid) {
			t.Errorf("a revoked secret: %v", err)
		}
		mint(t, s, apiSpec("billing", "two"))
	})
}

func TestReplaceSecret(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, _ := mint(t, s, apiSpec("billing", "one"))
		for _, secret := range []string{"two", "three"} {
			if err := s.ReplaceSecret(t.Context(), ref(c), secretHash(secret)); err != nil {
				t.Fatal(err)
			}
		}
		wantAPI(t, s, "billing", "one", keyring.Revoked)
		wantAPI(t, s, "billing", "two", keyring.Revoked)
		wantAPI(t, s, "billing", "three", keyring.Live)
		got := get(t, s, c)
		if got.RotatedAt.IsZero() || !got.RevokedAt.IsZero() {
			t.Errorf("the record: %+v", got)
		}
		got.RotatedAt, got.Digest, got.Version = c.RotatedAt, c.Digest, c.Version
		if !reflect.DeepEqual(got, c) {
			t.Errorf("more than the secret changed: %+v, was %+v", got, c)
		}
		if err := s.ReplaceSecret(t.Context(), ref(c), secretHash("one")); !errors.Is(err, credential.ErrInvalid) {
			t.Errorf("back to a replaced secret: %v", err)
		}
		if all := list(t, s, tenant, credential.KindAPI); len(all) != 1 {
			t.Errorf("%d credentials", len(all))
		}
		foreign := ref(c)
		foreign.Tenant = otherTenant
		if err := s.ReplaceSecret(t.Context(), foreign, secretHash("x")); err != ErrNotFound {
			t.Errorf("another tenant's: %v", err)
		}
		callback, _ := mint(t, s, callbackSpec())
		if err := s.ReplaceSecret(t.Context(), ref(callback), secretHash("x")); err != ErrNotFound {
			t.Errorf("another kind's: %v", err)
		}
		expired := apiSpec("expired", "one")
		expired.ExpiresAt = time.Now().Add(-time.Minute)
		e, _ := mint(t, s, expired)
		revoke(t, s, c)
		for name, c := range map[string]credential.Credential{"revoked": c, "expired": e} {
			if err := s.ReplaceSecret(t.Context(), ref(c), secretHash("four")); err != ErrInactive {
				t.Errorf("%s: %v", name, err)
			}
		}
		wantAPI(t, s, "billing", "three", keyring.Revoked)
		wantAPI(t, s, "billing", "four", keyring.Unknown)
	})
}

func TestReplaceSecretReachesOtherSidecars(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, a, b *Store) {
		c, _ := mint(t, a, apiSpec("billing", "one"))
		eventually(t, "b knows the first secret", func() bool { return apiStanding(b, "billing", "one") == keyring.Live })
		if err := a.ReplaceSecret(t.Context(), ref(c), secretHash("two")); err != nil {
			t.Fatal(err)
		}
		eventually(t, "b knows the second and not the first", func() bool {
			return apiStanding(b, "billing", "two") == keyring.Live && apiStanding(b, "billing", "one") == keyring.Revoked
		})
	})
}

// TestClientIDThroughARotation: whichever of two credentials outlives the other has it.
func TestClientIDThroughARotation(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		for _, test := range []struct {
			name        string
			first, last func(old, fresh credential.Credential) credential.Credential
		}{
			{"the old one first", func(old, _ credential.Credential) credential.Credential { return old }, func(_, fresh credential.Credential) credential.Credential { return fresh }},
			{"the new one first", func(_, fresh credential.Credential) credential.Credential { return fresh }, func(old, _ credential.Credential) credential.Credential { return old }},
		} {
			old, _ := mint(t, s, apiSpec("billing", test.name))
			fresh, _, err := s.Rotate(t.Context(), ref(old), Rotation{Grace: time.Hour, SecretHash: secretHash(test.name + ", later")})
			if err != nil {
				t.Fatal(err)
			}
			revoke(t, s, test.first(old, fresh))
			if _, _, err := s.Mint(t.Context(), apiSpec("billing", test.name+", too")); err != ErrClientIDTaken {
				t.Errorf("%s: the other one lost the client id: %v", test.name, err)
			}
			revoke(t, s, test.last(old, fresh))
			free, _ := mint(t, s, apiSpec("billing", test.name+", at last"))
			revoke(t, s, free)
		}
	})
}

func TestDumpKeepsAPICredentials(t *testing.T) {
	t.Parallel()
	from := open(t, Config{EmbeddedDir: t.TempDir()})
	live, _ := mint(t, from, apiSpec("live", "one"))
	replaced, _ := mint(t, from, apiSpec("replaced", "one"))
	if err := from.ReplaceSecret(t.Context(), ref(replaced), secretHash("two")); err != nil {
		t.Fatal(err)
	}
	gone, _ := mint(t, from, apiSpec("gone", "one"))
	revoke(t, from, gone)
	old, _ := mint(t, from, apiSpec("rotated", "one"))
	fresh, _, err := from.Rotate(t.Context(), ref(old), Rotation{Grace: time.Hour, SecretHash: secretHash("two")})
	if err != nil {
		t.Fatal(err)
	}
	left, _ := mint(t, from, apiSpec("left", "one"))
	successor, _, err := from.Rotate(t.Context(), ref(left), Rotation{Grace: time.Hour, SecretHash: secretHash("two")})
	if err != nil {
		t.Fatal(err)
	}
	revoke(t, from, successor)

	file := filepath.Join(t.TempDir(), "dump")
	if n, err := from.Dump(t.Context(), file); err != nil || n != 7 {
		t.Fatalf("Dump: %d, %v", n, err)
	}
	for _, b := range backEnds {
		t.Run(b.name, func(t *testing.T) {
			to := open(t, b.prepare(t))
			if n, err := to.Restore(t.Context(), file); err != nil || n != 7 {
				t.Fatalf("Restore: %d, %v", n, err)
			}
			awaitProof(t, to)
			for _, c := range []credential.Credential{live, replaced, gone, old, fresh, left, successor} {
				want := get(t, from, c)
				if got := get(t, to, c); !reflect.DeepEqual(got, want) {
					t.Errorf("restored %+v\nwas      %+v", got, want)
				}
			}
			wantAPI(t, to, "live", "one", keyring.Live)
			wantAPI(t, to, "replaced", "two", keyring.Live)
			wantAPI(t, to, "rotated", "one", keyring.Live)
			wantAPI(t, to, "rotated", "two", keyring.Live)
			wantAPI(t, to, "left", "one", keyring.Live)
			for _, dead := range [][2]string{{"replaced", "one"}, {"gone", "one"}, {"left", "two"}} {
				if apiStanding(to, dead[0], dead[1]) == keyring.Live {
					t.Errorf("%s works again", dead)
				}
			}
			for _, clientID := range []string{"live", "replaced", "rotated", "left"} {
				if _, _, err := to.Mint(t.Context(), apiSpec(clientID, "other")); err != ErrClientIDTaken {
					t.Errorf("client id %s: %v", clientID, err)
				}
			}
			if _, _, err := to.Mint(t.Context(), apiSpec("gone", "one")); !errors.Is(err, credential.ErrInvalid) {
				t.Errorf("a revoked secret: %v", err)
			}
			mint(t, to, apiSpec("gone", "two"))
		})
	}
}
