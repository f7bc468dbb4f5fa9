package store

import (
	"bytes"
	"encoding/base64"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/credential/seal"
	"github.com/hookgate/hookgate/keyring"
)

const (
	signingSecret = "signing-secret-canary-1"
	otherSecret   = "signing-secret-canary-2"
	thirdSecret   = "signing-secret-canary-3"
	bodyHMAC      = `{"signature":{"header":["X-Signature"]}}`
)

// sealKeys returns keys, another one for each letter.
func sealKeys(t testing.TB, letters ...string) *seal.Keys {
	t.Helper()
	texts := make([]string, len(letters))
	for i, letter := range letters {
		texts[i] = base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))
	}
	keys, err := seal.ParseKeys(texts...)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// sealWith lets a running store seal and open with keys.
func sealWith(t testing.TB, s *Store, letters ...string) {
	t.Helper()
	if err := s.Start(Tuning{UsageFlush: time.Hour, Logger: testLog(t), SealKeys: sealKeys(t, letters...)}); err != nil {
		t.Fatal(err)
	}
}

func verifySpec(secrets ...string) credential.Spec {
	spec := webhookSpec()
	spec.Verify = &credential.VerifySpec{Scheme: bodyHMAC, Secrets: secrets}
	return spec
}

func lookup(t testing.TB, s *Store, token string) keyring.Key {
	t.Helper()
	key, standing := s.Keyring().Lookup(credential.DigestToken(token))
	if standing != keyring.Live {
		t.Fatalf("the keyring says %v", standing)
	}
	return key
}

// everything returns all that a data set holds, keys and values.
func everything(t testing.TB, s *Store) string {
	t.Helper()
	var all strings.Builder
	b, _ := s.backend()
	err := b.ask(t.Context(), func(rdb *redis.Client) error {
		keys := rdb.Scan(t.Context(), 0, "*", 1000).Iterator() // with an ACL of ours there is no KEYS
		for keys.Next(t.Context()) {
			key := keys.Val()
			all.WriteString(key + "\n")
			// Of another type there is nothing.
			for field, value := range rdb.HGetAll(t.Context(), key).Val() {
				all.WriteString(field + "=" + value + "\n")
			}
			for _, entry := range rdb.XRange(t.Context(), key, "-", "+").Val() {
				for field, value := range entry.Values {
					all.WriteString(field + "=" + value.(string) + "\n")
				}
			}
		}
		return keys.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// TestSecretsAreKeptSealed: a data set has none in clear, a process with the right key has
// them at hand, and one without knows that it has not.
func TestSecretsAreKeptSealed(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		if _, _, err := s.Mint(t.Context(), verifySpec(signingSecret)); !errors.Is(err, ErrSeal) {
			t.Fatalf("minted without a key: %v", err)
		}
		sealWith(t, s, "a")
		c, token := mint(t, s, verifySpec(signingSecret, otherSecret))
		_, plain := mint(t, s, webhookSpec())
		stored := get(t, s, c)
		c.Version = stored.Version
		if !reflect.DeepEqual(stored, c) || stored.Verify.Secrets != 2 || stored.Verify.Scheme != bodyHMAC || time.Since(stored.Verify.ChangedAt) > time.Minute {
			t.Errorf("stored %+v, minted %+v", stored.Verify, c.Verify)
		}
		if key := lookup(t, s, token); len(key.Proof) != 1 || !reflect.DeepEqual(key.Verify, c.Verify) {
			t.Errorf("the keyring has %+v", key)
		}
		if key := lookup(t, s, plain); key.Proof != nil || key.Verify != nil {
			t.Errorf("one without has %+v", key)
		}
		if s.Keyring().ProofBytes() <= 0 {
			t.Error("its memory does not count")
		}
		all := everything(t, s)
		wantNoSecrets(t, all, signingSecret, otherSecret)
		if !strings.Contains(all, c.Verify.Sealed) {
			t.Error("nor does it hold them sealed")
		}

		sealWith(t, s, "b")
		if key := lookup(t, s, token); key.Proof != nil || key.Verify == nil || s.Keyring().Unsealable() != 1 {
			t.Errorf("with another key: %+v, %d unsealable", key, s.Keyring().Unsealable())
		}
		if _, _, err := s.Rotate(t.Context(), ref(c), Rotation{}); !errors.Is(err, ErrSeal) {
			t.Errorf("rotated without its secrets: %v", err)
		}
		sealWith(t, s, "b", "a")
		if key := lookup(t, s, token); key.Proof == nil || s.Keyring().Unsealable() != 0 {
			t.Errorf("with an older key: %+v, %d unsealable", key, s.Keyring().Unsealable())
		}

		fresh, freshToken := rotate(t, s, c)
		if key := lookup(t, s, freshToken); key.Proof == nil || fresh.Verify.Secrets != 2 {
			t.Errorf("the successor has %+v", key)
		}
		if ended := get(t, s, c); ended.Verify == nil || ended.Verify.Sealed != "" || strings.Contains(everything(t, s), "="+c.Verify.Sealed) {
			t.Error("the secrets of a revoked credential are kept")
		}
		revoke(t, s, fresh)
		if left := s.Keyring().ProofBytes(); left != 0 {
			t.Errorf("%d bytes are left of what is gone", left)
		}
	})
}

// TestVerifyFollowsTheLedger: another process opens what this one sealed, after a change and
// after a snapshot.
func TestVerifyFollowsTheLedger(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, a, b *Store) {
		sealWith(t, a, "a")
		sealWith(t, b, "a")
		c, token := mint(t, a, verifySpec(signingSecret))
		eventually(t, "the other process has it", func() bool { return standing(b, token) == keyring.Live })
		if key := lookup(t, b, token); key.Proof == nil {
			t.Errorf("the other process has %+v", key)
		}
		third := newStore(t, a.config)
		if err := third.Start(Tuning{Logger: testLog(t), SealKeys: sealKeys(t, "a")}); err != nil {
			t.Fatal(err)
		}
		awaitLoaded(t, third)
		if key := lookup(t, third, token); key.Proof == nil {
			t.Errorf("after a snapshot: %+v", key)
		}
		if _, err := a.Update(t.Context(), ref(c), Patch{RemoveVerify: true}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the other process has it no more", func() bool { return lookup(t, b, token).Verify == nil })
		if b.Keyring().ProofBytes() != 0 {
			t.Error("and holds memory for it")
		}
	})
}

// TestReplaceSigningSecret: the first is replaced, the one before stays for its grace, and
// only force begins another grace meanwhile.
func TestReplaceSigningSecret(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		sealWith(t, s, "a")
		bare, _ := mint(t, s, webhookSpec())
		c, _ := mint(t, s, verifySpec(signingSecret, thirdSecret))
		secrets := func() []string {
			t.Helper()
			stored := get(t, s, c)
			all, err := s.tuning.Load().SealKeys.Open(c.ID, stored.Verify.Sealed)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		change := func(of credential.Credential, r SigningSecret) (credential.Credential, error) {
			return s.ReplaceSigningSecret(t.Context(), ref(of), r)
		}
		got, err := change(c, SigningSecret{Secret: otherSecret, Grace: time.Hour})
		if err != nil || got.Verify.Secrets != 2 || !got.Verify.GraceOpen(time.Now()) || got.Verify.GraceOpen(time.Now().Add(2*time.Hour)) {
			t.Fatalf("%+v, %v", got.Verify, err)
		}
		if want := []string{otherSecret, thirdSecret, signingSecret}; !reflect.DeepEqual(secrets(), want) {
			t.Errorf("kept are %q, want %q", secrets(), want)
		}
		for name, tc := range map[string]struct {
			of   credential.Credential
			r    SigningSecret
			want error
		}{
			"a grace is open":   {c, SigningSecret{Secret: "x"}, ErrSecretGraceOpen},
			"no verify":         {bare, SigningSecret{Secret: "x"}, ErrNoVerify},
			"no secret":         {c, SigningSecret{Force: true}, credential.ErrInvalid},
			"too long":          {c, SigningSecret{Secret: strings.Repeat("x", credential.MaxSecretLength+1), Force: true}, credential.ErrInvalid},
			"too long a grace":  {c, SigningSecret{Secret: "x", Grace: credential.MaxGrace + time.Second, Force: true}, credential.ErrInvalid},
			"a negative grace":  {c, SigningSecret{Secret: "x", Grace: -1, Force: true}, credential.ErrInvalid},
			"of another tenant": {credential.Credential{ID: c.ID, Tenant: otherTenant}, SigningSecret{Secret: "x"}, ErrNotFound},
		} {
			if _, err := change(tc.of, tc.r); !errors.Is(err, tc.want) {
				t.Errorf("%s: %v, want %v", name, err, tc.want)
			}
		}
		if got, err = change(c, SigningSecret{Secret: "fourth", Force: true}); err != nil || got.Verify.GraceOpen(time.Now()) {
			t.Fatalf("by force: %+v, %v", got.Verify, err)
		}
		if want := []string{"fourth", thirdSecret}; !reflect.DeepEqual(secrets(), want) {
			t.Errorf("kept are %q, want %q", secrets(), want)
		}
		revoke(t, s, c)
		if _, err := change(c, SigningSecret{Secret: "x"}); !errors.Is(err, ErrInactive) {
			t.Errorf("of a revoked one: %v", err)
		}
	})
}

// TestReseal: afterwards the first key alone is enough, and what nobody can open stays.
func TestReseal(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		sealWith(t, s, "z")
		_, lost := mint(t, s, verifySpec(thirdSecret))
		sealWith(t, s, "a")
		c, token := mint(t, s, verifySpec(signingSecret))
		mint(t, s, webhookSpec())
		gone, _ := mint(t, s, verifySpec(signingSecret))
		revoke(t, s, gone)
		sealWith(t, s, "b", "a")
		if n, err := s.Reseal(t.Context()); n != 1 || !errors.Is(err, ErrSeal) {
			t.Errorf("%d, %v: want 1 resealed and one that cannot be", n, err)
		}
		sealWith(t, s, "b")
		if lookup(t, s, token).Proof == nil || lookup(t, s, lost).Proof != nil || get(t, s, c).Verify.Sealed == c.Verify.Sealed {
			t.Error("the new key alone does not open what was resealed, or opens what was not")
		}
	})
}

// TestDumpKeepsSecretsSealed: they are in no dump in clear, and a restore needs no key.
func TestDumpKeepsSecretsSealed(t *testing.T) {
	t.Parallel()
	from := open(t, backEnds[0].prepare(t))
	sealWith(t, from, "a")
	_, token := mint(t, from, verifySpec(signingSecret))
	file := filepath.Join(t.TempDir(), "dump")
	if _, err := from.Dump(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	var dump bytes.Buffer
	if _, err := from.DumpTo(t.Context(), &dump); err != nil {
		t.Fatal(err)
	}
	wantNoSecrets(t, dump.String(), signingSecret)
	to := open(t, backEnds[0].prepare(t))
	if _, err := to.Restore(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is restored", func() bool { return standing(to, token) == keyring.Live })
	if lookup(t, to, token).Proof != nil || to.Keyring().Unsealable() != 1 {
		t.Error("opened without a key")
	}
	sealWith(t, to, "a")
	if lookup(t, to, token).Proof == nil {
		t.Error("not opened with the key")
	}
}

// TestVerifyIsChecked: what no sender could prove itself by is refused, and not stored.
func TestVerifyIsChecked(t *testing.T) {
	t.Parallel()
	s := open(t, backEnds[0].prepare(t))
	sealWith(t, s, "a")
	for name, verify := range map[string]credential.VerifySpec{
		"no secret":        {Scheme: bodyHMAC},
		"an empty secret":  {Scheme: bodyHMAC, Secrets: []string{""}},
		"too many secrets": {Scheme: bodyHMAC, Secrets: strings.Split("abcde", "")},
		"no scheme":        {Secrets: []string{"x"}},
		"an unknown name":  {Scheme: "no-such-vendor", Secrets: []string{"x"}},
		"an unknown field": {Scheme: `{"signatures":{}}`, Secrets: []string{"x"}},
		"no object":        {Scheme: `{"signature"`, Secrets: []string{"x"}},
		"a huge scheme":    {Scheme: `{"prefix":"` + strings.Repeat("x", credential.MaxSchemeLength) + `"}`, Secrets: []string{"x"}},
	} {
		spec := webhookSpec()
		spec.Verify = &verify
		if _, _, err := s.Mint(t.Context(), spec); !errors.Is(err, credential.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	api := apiSpec("billing", "one")
	api.Verify = &credential.VerifySpec{Scheme: bodyHMAC, Secrets: []string{"x"}}
	if _, _, err := s.Mint(t.Context(), api); !errors.Is(err, credential.ErrInvalid) {
		t.Errorf("api kind: %v", err)
	}
}
