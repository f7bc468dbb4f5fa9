package store

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential/credentialtest"
)

// TestClaimEvent: of several who claim an event one gets it; it is free again when that one
// fails, and known when it was delivered, by any of its names, for its credential alone.
func TestClaimEvent(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		ask := func(credential int, names ...string) (*EventClaim, EventState, int) {
			t.Helper()
			claim, state, status, err := s.ClaimEvent(t.Context(), credentialtest.ID(credential), names, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			return claim, state, status
		}
		want := func(what string, got, want EventState) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %d, want %d", what, got, want)
			}
		}
		first, state, _ := ask(1, "id", "signature")
		want("the first", state, EventNew)
		_, state, _ = ask(1, "id", "other")
		want("while it is under way", state, EventRunning)
		_, state, _ = ask(2, "id")
		want("of another credential", state, EventNew)
		if err := first.Free(t.Context()); err != nil {
			t.Fatal(err)
		}
		second, state, _ := ask(1, "id", "signature")
		want("once it failed", state, EventNew)
		if err := first.Free(t.Context()); err != nil { // late
			t.Fatal(err)
		}
		_, state, _ = ask(1, "signature")
		want("freed by who does not have it", state, EventRunning)
		if err := second.Done(t.Context(), 202); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"id", "signature"} {
			_, state, status := ask(1, name)
			want("delivered, by "+name, state, EventDone)
			if status != 202 {
				t.Errorf("status %d", status)
			}
		}
	})
}

// TestEventsEnd: an event is forgotten when its time is over, and one that was never
// settled after a minute.
func TestEventsEnd(t *testing.T) {
	now := time.Now()
	var known events
	known.claim([]string{"lost"}, "a", now)
	known.claim([]string{"done"}, "b", now)
	known.settle([]string{"done"}, "b", 200, now.Add(time.Hour))
	for _, tc := range []struct {
		key   string
		after time.Duration
		want  EventState
	}{
		{"lost", inFlight - time.Second, EventRunning}, {"done", time.Hour - time.Second, EventDone}, {"lost", inFlight, EventNew}, {"done", time.Hour, EventNew},
	} {
		if state, _, err := known.claim([]string{tc.key}, "c", now.Add(tc.after)); state != tc.want || err != nil {
			t.Errorf("%s after %s: %d, %v", tc.key, tc.after, state, err)
		}
	}
}

// TestClaimWithoutRedis: nobody can tell, within a bounded time.
func TestClaimWithoutRedis(t *testing.T) {
	t.Parallel()
	s := open(t, backEnds[0].prepare(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, _, err := s.ClaimEvent(ctx, credentialtest.ID(1), []string{"x"}, time.Minute); err == nil {
		t.Error("no error")
	}
}

// TestResultsOfProofs: they are shown before and after they are written, the newest first,
// and never go back.
func TestResultsOfProofs(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, _ := mint(t, s, webhookSpec())
		now := time.Now().Truncate(time.Millisecond).UTC()
		flush := func() {
			t.Helper()
			if err := s.proofs.flush(t.Context(), s.keys, s.opened.Load().scripts); err != nil {
				t.Fatal(err)
			}
		}
		s.MarkProof(c.ID, "ok", now.Add(-time.Minute))
		s.MarkProof(c.ID, "mismatch", now.Add(-time.Second))
		for range 2 {
			got := get(t, s, c).Proofs
			if len(got) != 2 || got[0].Result != "mismatch" || got[1].Result != "ok" || now.Sub(got[0].At) > 10*time.Second {
				t.Errorf("shown are %v", got)
			}
			flush()
		}
		before := get(t, s, c).Proofs
		s.MarkProof(c.ID, "ok", now.Add(-time.Hour))
		s.MarkProof(credentialtest.ID(77), "ok", now) // it is gone, or never was
		flush()
		if got := get(t, s, c).Proofs; !reflect.DeepEqual(got, before) {
			t.Errorf("%v became %v", before, got)
		}
		if _, err := s.Get(t.Context(), Ref{Tenant: tenant, ID: credentialtest.ID(77)}); err != ErrNotFound {
			t.Errorf("a record was made: %v", err)
		}
	})
}
