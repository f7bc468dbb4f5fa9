package store

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

func disable(t testing.TB, s *Store, c credential.Credential) credential.Credential {
	t.Helper()
	changed, err := s.SetDisabled(t.Context(), ref(c), true)
	if err != nil {
		t.Fatalf("disable: %v", err)
	}
	return changed
}

func enable(t testing.TB, s *Store, c credential.Credential) credential.Credential {
	t.Helper()
	changed, err := s.SetDisabled(t.Context(), ref(c), false)
	if err != nil {
		t.Fatalf("enable: %v", err)
	}
	return changed
}

// disabledHere reports whether this process's keyring has a live token as disabled.
func disabledHere(s *Store, token string) bool {
	key, standing := s.Keyring().Lookup(credential.DigestToken(token))
	return standing == keyring.Live && key.Disabled
}

func TestDisable(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		spec := callbackSpec()
		spec.ExpiresAt = time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
		c, token := mint(t, s, spec)
		if got := disable(t, s, c); got.Status(s.Now()) != credential.StatusDisabled || !got.ExpiresAt.Equal(spec.ExpiresAt) {
			t.Errorf("disabled: %+v", got)
		}
		for range 2 { // a second time changes nothing
			if !disabledHere(s, token) {
				t.Error("the keyring does not have it as disabled")
			}
			if got := disable(t, s, c); got.Status(s.Now()) != credential.StatusDisabled {
				t.Errorf("disabled again: %+v", got)
			}
		}
		if got := get(t, s, c); got.Status(s.Now()) != credential.StatusDisabled || !got.ExpiresAt.Equal(spec.ExpiresAt) {
			t.Errorf("stored: %+v", got)
		}
		if page, _, err := s.Page(t.Context(), tenant, Query{Status: credential.StatusDisabled}); err != nil || len(page) != 1 || page[0].ID != c.ID {
			t.Errorf("listed as disabled: %+v, %v", page, err)
		}
		if _, _, err := s.Rotate(t.Context(), ref(c), Rotation{}); !errors.Is(err, ErrDisabled) {
			t.Errorf("rotated: %v", err)
		}

		// What is changed meanwhile stays changed, and does not enable it.
		label, later := "renamed", spec.ExpiresAt.Add(time.Hour)
		for _, p := range []Patch{{Label: &label}, {ExpiresAt: &later}, {ExpiresAt: new(time.Time)}, {ExpiresAt: &later}} {
			if got, err := s.Update(t.Context(), ref(c), p); err != nil || !got.Disabled || !disabledHere(s, token) || !get(t, s, c).Disabled {
				t.Errorf("%+v: %+v, %v", p, got, err)
			}
		}
		got := enable(t, s, c)
		if got.Status(s.Now()) != credential.StatusActive || !got.ExpiresAt.Equal(later) || got.Label != label || disabledHere(s, token) || !accepted(s, token) {
			t.Errorf("enabled: %+v", got)
		}
		if stored := get(t, s, c); stored.Status(s.Now()) != credential.StatusActive || !stored.ExpiresAt.Equal(later) {
			t.Errorf("stored: %+v", stored)
		}
		enable(t, s, c)

		revoke(t, s, c)
		for _, disabled := range []bool{true, false} {
			if _, err := s.SetDisabled(t.Context(), ref(c), disabled); !errors.Is(err, ErrInactive) {
				t.Errorf("revoked, to %v: %v", disabled, err)
			}
		}
		wantStanding(t, s, token, keyring.Revoked)
		other := ref(c)
		other.Tenant = otherTenant
		if _, err := s.SetDisabled(t.Context(), other, true); !errors.Is(err, ErrNotFound) {
			t.Errorf("another tenant's: %v", err)
		}

		entries, _, err := s.Audit(t.Context(), tenant, AuditQuery{Credential: c.ID})
		var actions []string
		for _, e := range entries {
			actions = append(actions, e.Action)
		}
		if want := []string{"revoke", "enable", "update", "update", "update", "update", "disable", "mint"}; err != nil || !slices.Equal(actions, want) {
			t.Errorf("audit log: %v, %v", actions, err)
		}
	})
}

// TestDisabledGraceRunsOn: a disabled credential in its grace can be finished, and still
// stands in the way of the next rotation.
func TestDisabledGraceRunsOn(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		old, oldToken := mint(t, s, callbackSpec())
		fresh, _ := rotateWith(t, s, old, Rotation{Grace: time.Hour})
		disable(t, s, old)
		if _, _, err := s.Rotate(t.Context(), ref(fresh), Rotation{}); !errors.Is(err, ErrGraceOpen) {
			t.Errorf("rotated: %v", err)
		}
		if got := enable(t, s, old); got.Status(s.Now()) != credential.StatusGrace {
			t.Errorf("enabled: %+v", got)
		}
		disable(t, s, old)
		if finished, err := s.Finish(t.Context(), ref(fresh)); err != nil || finished.ID != old.ID {
			t.Errorf("finished %+v, %v", finished, err)
		}
		wantStanding(t, s, oldToken, keyring.Revoked)

		old, oldToken = mint(t, s, callbackSpec())
		rotateWith(t, s, old, Rotation{Grace: 50 * time.Millisecond})
		disable(t, s, old)
		eventually(t, "its grace ends", func() bool {
			ended := get(t, s, old)
			return ended.Status(s.Now()) == credential.StatusExpired
		})
		if enable(t, s, old); accepted(s, oldToken) {
			t.Error("to enable it has prolonged its grace")
		}
	})
}

func TestDisableReachesOtherSidecars(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, a, b *Store) {
		c, token := mint(t, a, callbackSpec())
		eventually(t, "b accepts the token", func() bool { return accepted(b, token) })
		disable(t, a, c)
		disable(t, b, c) // whether or not its ledger entry has come
		if !disabledHere(b, token) {
			t.Error("b says that it is disabled, and lets it in")
		}
		enable(t, b, c)
		eventually(t, "a accepts the token again", func() bool { return !disabledHere(a, token) && accepted(a, token) })
		disable(t, a, c)
		late := open(t, a.config) // reads it anew
		if !disabledHere(late, token) {
			t.Error("a new sidecar does not have it as disabled")
		}
	})
}

// TestDisabledSurvivesDumpAndRestart: in the data set it stays what it is.
func TestDisabledSurvivesDumpAndRestart(t *testing.T) {
	t.Parallel()
	config := Config{EmbeddedDir: t.TempDir()}
	s := open(t, config)
	spec := callbackSpec()
	spec.ExpiresAt = time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
	expiring, expiringToken := mint(t, s, spec)
	c, token := mint(t, s, callbackSpec())
	disable(t, s, expiring)
	disable(t, s, c)
	destruct(t, s)
	s = open(t, config)
	file := filepath.Join(t.TempDir(), "dump")
	if _, err := s.Dump(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	for what, dir := range map[string]string{"restarted": config.EmbeddedDir, "restored": t.TempDir()} {
		destruct(t, s)
		s = open(t, Config{EmbeddedDir: dir})
		if what == "restored" {
			if _, err := s.Restore(t.Context(), file); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the keyring has what was restored", func() bool { return s.Keyring().Size() == 2 })
		}
		if !disabledHere(s, token) || !disabledHere(s, expiringToken) {
			t.Errorf("%s: not both are disabled", what)
		}
		if got := get(t, s, expiring); !got.Disabled || !got.ExpiresAt.Equal(spec.ExpiresAt) {
			t.Errorf("%s: %+v", what, got)
		}
		if got := get(t, s, c); !got.Disabled || !got.ExpiresAt.IsZero() {
			t.Errorf("%s: %+v", what, got)
		}
	}
	if enable(t, s, c); !accepted(s, token) {
		t.Error("it cannot be enabled any more")
	}
}

// TestDisabledToOlderReleases: they know no field of it, and take a disabled credential for
// one that has expired, in the record and in the digests.
func TestDisabledToOlderReleases(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, token := mint(t, s, callbackSpec())
		disable(t, s, c)
		fields := node(t, s.opened.Load()).HGetAll(t.Context(), s.keys.record(c.ID)).Val()
		delete(fields, fieldDisabled)
		older, err := parseRecord(c.ID, fields)
		if err != nil || older.Status(s.Now()) != credential.StatusExpired {
			t.Errorf("%+v, %v", older, err)
		}
		// One that changes something else leaves it disabled. The digest says no more than what
		// that release knows: that it has expired.
		older.Label = "JIRA"
		if _, err := s.commit(t.Context(), mutation{
			tenant: tenant, records: []recordWrite{{id: c.ID, version: older.Version, set: []string{fieldLabel, older.Label}}},
			digests: []keyring.DigestOp{{Digest: c.Digest, Changes: true, ID: c.ID, Key: keyOf(&older)}},
		}); err != nil {
			t.Fatal(err)
		}
		if got := get(t, s, c); got.Status(s.Now()) != credential.StatusDisabled || got.Label != older.Label || accepted(s, token) || disabledHere(s, token) {
			t.Errorf("%+v", got)
		}
		if disable(t, s, c); !disabledHere(s, token) {
			t.Error("disabled anew, it counts as expired")
		}
		older.Version = get(t, s, c).Version
		// One that gives it another expiry enables it, and says so to everybody.
		later := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
		older.ExpiresAt = later
		if _, err := s.commit(t.Context(), mutation{
			tenant: tenant, records: []recordWrite{{id: c.ID, version: older.Version, set: []string{fieldExpiresAt, expiryFields(&older)[1]}}},
			digests: []keyring.DigestOp{{Digest: c.Digest, Changes: true, ID: c.ID, Key: keyOf(&older)}},
		}); err != nil {
			t.Fatal(err)
		}
		if got := get(t, s, c); got.Status(s.Now()) != credential.StatusActive || !got.ExpiresAt.Equal(later) || !accepted(s, token) {
			t.Errorf("%+v", got)
		}
	})
}

// TestDisabledCounts: a quota is not gone round by disabling.
func TestDisabledCounts(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		limit(t, s, 2)
		spec := callbackSpec()
		spec.ExpiresAt = time.Now().Add(time.Hour)
		c, _ := mint(t, s, spec)
		forever, _ := mint(t, s, callbackSpec())
		disable(t, s, c)
		disable(t, s, forever)
		wantRoom(t, s, 0)
		if err := node(t, s.opened.Load()).Del(t.Context(), s.keys.live(tenant)).Err(); err != nil {
			t.Fatal(err)
		}
		s.recounts.at = nil
		wantRoom(t, s, 0) // counted anew
		revoke(t, s, c)
		wantRoom(t, s, 1)
	})
}
