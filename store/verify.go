package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/proof"
)

// Secrets by which vendors prove themselves are stored sealed, and opened in memory alone.

// programs holds schemes made ready, by their text: credentials of one vendor share one. It
// is bounded, for a tenant may write a scheme of its own for each credential.
var programs = func() *lru.Cache[string, *proof.Program] {
	cache, err := lru.New[string, *proof.Program](maxPrograms)
	if err != nil {
		panic(err)
	}
	return cache
}()

const maxPrograms = 512

// ReadScheme reads a scheme as a credential has it: the name of a preset, or a JSON object.
// An error says what is wrong with it, and is ErrInvalid.
func ReadScheme(text string) (*proof.Program, error) {
	if known, ok := programs.Get(text); ok {
		return known, nil
	}
	var scheme proof.Scheme
	if strings.HasPrefix(text, "{") {
		if err := jsonv2.Unmarshal([]byte(text), &scheme, jsonv2.RejectUnknownMembers(true)); err != nil {
			return nil, fmt.Errorf("%w: the scheme is not an object of a scheme's fields", credential.ErrInvalid)
		}
	} else {
		preset, known := proof.Named(text)
		if !known {
			return nil, fmt.Errorf("%w: there is no scheme of this name", credential.ErrInvalid)
		}
		scheme = preset.Scheme
	}
	program, err := proof.Compile(scheme)
	if err != nil {
		return nil, fmt.Errorf("%w: the scheme: %w", credential.ErrInvalid, err)
	}
	programs.Add(text, program)
	return program, nil
}

// canonicalScheme returns a scheme as it is stored: what is equal is stored alike.
func canonicalScheme(text string) (string, error) {
	text = strings.TrimSpace(text)
	if _, err := ReadScheme(text); err != nil || !strings.HasPrefix(text, "{") {
		return text, err
	}
	var scheme proof.Scheme
	if err := json.Unmarshal([]byte(text), &scheme); err != nil {
		return "", err
	}
	canonical, err := json.Marshal(scheme)
	return string(canonical), err
}

// openProof implements keyring.OpenProof. What it cannot open is logged when it is first
// needed, and not with what it is.
func (s *Store) openProof(id uuid.UUID, v *credential.Verify) proof.Any {
	opened, err := s.verifier(id, v)
	if err != nil {
		s.log().Error("how senders prove themselves cannot be read; until it can be, their requests are 503", "credential", id.String(), "error", err)
		return nil
	}
	return proof.Any{opened}
}

func (s *Store) verifier(id uuid.UUID, v *credential.Verify) (*proof.Verifier, error) {
	program, err := ReadScheme(v.Scheme)
	if err != nil {
		return nil, err
	}
	texts, err := s.tuning.Load().SealKeys.Open(id, v.Sealed)
	if err != nil {
		return nil, err
	}
	secrets := make([]proof.Secret, len(texts))
	for i, text := range texts {
		secrets[i].Value = text
		if i >= v.Secrets {
			secrets[i].Until = v.GraceUntil
		}
	}
	return program.With(secrets...)
}

// sealVerify makes of what a request asks for what is stored; nil for nil.
func (s *Store) sealVerify(id uuid.UUID, spec *credential.VerifySpec) (*credential.Verify, error) {
	if spec == nil {
		return nil, nil
	}
	scheme, err := canonicalScheme(spec.Scheme)
	if err != nil {
		return nil, err
	}
	v := &credential.Verify{Scheme: scheme, Secrets: len(spec.Secrets), ChangedAt: s.clock.Now().UTC().Truncate(time.Millisecond)}
	return v, s.sealSecrets(id, v, spec.Secrets)
}

// sealSecrets puts secrets into v, if a scheme takes them.
func (s *Store) sealSecrets(id uuid.UUID, v *credential.Verify, secrets []string) error {
	program, err := ReadScheme(v.Scheme)
	if err != nil {
		return err
	}
	given := make([]proof.Secret, len(secrets))
	for i, secret := range secrets {
		given[i].Value = secret
	}
	if _, err := program.With(given...); err != nil {
		return fmt.Errorf("%w: a secret: %w", credential.ErrInvalid, err)
	}
	if v.Sealed, err = s.tuning.Load().SealKeys.Seal(id, secrets); err != nil {
		return fmt.Errorf("%w: %w", ErrSeal, err)
	}
	return nil
}

// openSecrets returns the secrets of a credential that are in use, and behind them the one
// before the last change where its grace is open.
func (s *Store) openSecrets(c *credential.Credential) (secrets, old []string, err error) {
	all, err := s.tuning.Load().SealKeys.Open(c.ID, c.Verify.Sealed)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrSeal, err)
	}
	if len(all) < c.Verify.Secrets {
		return nil, nil, credential.ErrCorrupt
	}
	secrets = all[:c.Verify.Secrets:c.Verify.Secrets]
	if c.Verify.GraceOpen(s.clock.Now()) {
		old = all[c.Verify.Secrets:]
	}
	return secrets, old, nil
}

// sealFor seals the secrets of a credential for its successor, which has another id.
func (s *Store) sealFor(successor uuid.UUID, c *credential.Credential) (*credential.Verify, error) {
	if c.Verify == nil {
		return nil, nil
	}
	secrets, old, err := s.openSecrets(c)
	if err != nil {
		return nil, err
	}
	v := *c.Verify
	if len(old) == 0 {
		v.GraceUntil = time.Time{}
	}
	if v.Sealed, err = s.tuning.Load().SealKeys.Seal(successor, append(secrets, old...)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSeal, err)
	}
	return &v, nil
}

// SigningSecret says how the secret by which a vendor signs is replaced.
type SigningSecret struct {
	Secret string
	// Grace is how long the one that it replaces verifies as well; zero ends it at once.
	Grace time.Duration
	// Force ends the grace of an earlier change.
	Force bool
}

// ReplaceSigningSecret gives a credential another secret in place of its first, and returns
// it.
//
// Errors: ErrNotFound, ErrInactive, ErrNoVerify, ErrSecretGraceOpen, ErrInvalid, ErrSeal,
// ErrNotReplicated, ErrUnavailable.
func (s *Store) ReplaceSigningSecret(ctx context.Context, ref Ref, r SigningSecret) (credential.Credential, error) {
	if r.Grace < 0 || r.Grace > credential.MaxGrace {
		return credential.Credential{}, fmt.Errorf("%w: the grace period must be between 0 and %d seconds", credential.ErrInvalid, int(credential.MaxGrace.Seconds()))
	}
	var updated credential.Credential
	err := s.update(ctx, ref, func(c *credential.Credential) error {
		now := s.clock.Now()
		switch {
		case c.Retired(now):
			return ErrInactive
		case c.Verify == nil:
			return ErrNoVerify
		case c.Verify.GraceOpen(now) && !r.Force:
			return ErrSecretGraceOpen
		}
		secrets, _, err := s.openSecrets(c)
		if err != nil {
			return err
		}
		v := *c.Verify
		v.ChangedAt, v.GraceUntil = now.UTC().Truncate(time.Millisecond), time.Time{}
		all := append([]string{r.Secret}, secrets[1:]...)
		if err := (&credential.VerifySpec{Scheme: v.Scheme, Secrets: all}).Validate(); err != nil {
			return err
		}
		if r.Grace > 0 {
			v.GraceUntil = v.ChangedAt.Add(r.Grace)
			all = append(all, secrets[0])
		}
		if err := s.sealSecrets(c.ID, &v, all); err != nil {
			return err
		}
		updated = *c
		updated.Verify = &v
		_, err = s.commit(ctx, mutation{
			tenant:  c.Tenant,
			records: []recordWrite{{id: c.ID, version: c.Version, set: []string{fieldVerify, v.Encode()}}},
			digests: []keyring.DigestOp{{Digest: c.Digest, Changes: true, ID: c.ID, Key: keyOf(&updated)}},
			audit:   updateNote(c, &updated),
		})
		return err
	})
	return updated, err
}
