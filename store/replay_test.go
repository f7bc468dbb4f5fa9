package store

import (
	"context"
	"encoding/hex"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential/credentialtest"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// TestClaimEvent: of several who claim an event one gets it; it is free again when that one
// fails, and known when it was delivered, by any of its names, for its credential alone.
func TestClaimEvent(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		for _, names := range [][]string{{"alone"}, {"id", "signature"}, {"one", "two", "three"}} {
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
					t.Errorf("%s, by %q: %d, want %d", what, names, got, want)
				}
			}
			first, state, _ := ask(1, names...)
			want("the first", state, EventNew)
			_, state, _ = ask(1, names[0], "other")
			want("while it is under way", state, EventRunning)
			_, state, _ = ask(2, names[0])
			want("of another credential", state, EventNew)
			if err := first.Free(t.Context()); err != nil {
				t.Fatal(err)
			}
			second, state, _ := ask(1, names...)
			want("once it failed", state, EventNew)
			if err := first.Free(t.Context()); err != nil { // late
				t.Fatal(err)
			}
			last := names[len(names)-1]
			_, state, _ = ask(1, last)
			want("freed by who does not have it", state, EventRunning)
			if err := second.Done(t.Context(), 202); err != nil {
				t.Fatal(err)
			}
			for _, known := range append([][]string{names, {"other", last}}, names[:1]) {
				_, state, status := ask(1, known...)
				want("delivered", state, EventDone)
				if status != 202 {
					t.Errorf("status %d", status)
				}
			}
		}
	})
}

// TestOneOfManyClaims: of those who claim the same events at once, in several processes,
// each event is given to one.
func TestOneOfManyClaims(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, a, b *Store) {
		const events, claims = 8, 64
		var given, late [events]atomic.Int32
		var claiming sync.WaitGroup
		for i := range claims {
			claiming.Go(func() {
				s := []*Store{a, b}[i%2]
				for event := range events {
					names := []string{strconv.Itoa(event), "signature of " + strconv.Itoa(event)}
					_, state, _, err := s.ClaimEvent(t.Context(), credentialtest.ID(1), names[:1+event%2], time.Hour)
					switch {
					case err != nil: // on a machine that is busy, Redis may be late
						late[event].Add(1)
					case state == EventNew:
						given[event].Add(1)
					}
				}
			})
		}
		claiming.Wait()
		for event := range events {
			if n, late := given[event].Load(), late[event].Load(); n > 1 || n+late == 0 {
				t.Errorf("event %d was given to %d", event, n)
			}
		}
	})
}

// startEvents returns a store on a server of its own, and the key of an event's name.
func startEvents(t *testing.T) (*Store, *redistest.Server, func(name string) string) {
	t.Helper()
	t.Parallel()
	server := redistest.Start(t)
	s := open(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}})
	return s, server, func(name string) string {
		return "{hookgate}:e:" + credentialtest.ID(1).String() + ":" + hex.EncodeToString([]byte(name))
	}
}

// TestEventValues: what other releases on the data set read and write.
func TestEventValues(t *testing.T) {
	s, server, key := startEvents(t)
	rdb := server.Client()
	for _, names := range [][]string{{"alone"}, {"id", "signature"}} {
		look := func(want string, least, most time.Duration) {
			t.Helper()
			for _, name := range names {
				if value := rdb.Get(t.Context(), key(name)).Val(); !regexp.MustCompile(want).MatchString(value) {
					t.Errorf("%s: %q, want %s", name, value, want)
				}
				if left := rdb.PTTL(t.Context(), key(name)).Val(); left <= least || left > most {
					t.Errorf("%s is kept for %s", name, left)
				}
			}
		}
		claim, state, _, err := s.ClaimEvent(t.Context(), credentialtest.ID(1), names, time.Hour)
		if err != nil || state != EventNew {
			t.Fatal(state, err)
		}
		look(`^r[0-9a-f]{32}$`, 0, time.Minute)
		if err := claim.Done(t.Context(), 204); err != nil {
			t.Fatal(err)
		}
		look(`^d204$`, time.Minute, time.Hour)
	}
	for _, tc := range []struct {
		value  string
		state  EventState
		status int
		wrong  bool
	}{
		{value: "r" + strings.Repeat("0", 32), state: EventRunning},
		{value: "d200", state: EventDone, status: 200},
		{value: "d", wrong: true}, {value: "d2x0", wrong: true}, {value: "200", wrong: true},
	} {
		rdb.Set(t.Context(), key("seen"), tc.value, time.Minute)
		for _, names := range [][]string{{"seen"}, {"seen", "signature of it"}, {"id of it", "seen"}} {
			claim, state, status, err := s.ClaimEvent(t.Context(), credentialtest.ID(1), names, time.Hour)
			if claim != nil || state != tc.state || status != tc.status || (err != nil) != tc.wrong {
				t.Errorf("%q by %q: %v, %d, %d, %v", tc.value, names, claim != nil, state, status, err)
			}
		}
		if left := rdb.Get(t.Context(), key("seen")).Val(); left != tc.value {
			t.Errorf("%q became %q", tc.value, left)
		}
	}
	rdb.Del(t.Context(), key("seen"))
	rdb.HSet(t.Context(), key("seen"), "field", "value")
	for _, names := range [][]string{{"seen"}, {"seen", "signature of it"}} {
		if _, _, _, err := s.ClaimEvent(t.Context(), credentialtest.ID(1), names, time.Hour); err == nil {
			t.Errorf("a hash is known by %q", names)
		}
	}
}

// TestClaimIsSentAgain: who sends a claim again because the answer was lost, be it to
// a server that has forgotten its scripts, finds the event its own.
func TestClaimIsSentAgain(t *testing.T) {
	s, server, _ := startEvents(t)
	for _, names := range [][]string{{"alone"}, {"id", "signature"}} {
		claim, _, _, err := s.ClaimEvent(t.Context(), credentialtest.ID(1), names, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if err := server.Client().ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if state, _, err := claim.take(t.Context()); err != nil || state != EventNew {
			t.Errorf("%q again: %d, %v", names, state, err)
		}
		if _, state, _, err := s.ClaimEvent(t.Context(), credentialtest.ID(1), names, time.Hour); err != nil || state != EventRunning {
			t.Errorf("%q by another: %d, %v", names, state, err)
		}
	}
}

// TestBatches: what waits goes together, the longest waiting first; what is too much for one
// batch goes with the next ones, and what has waited too long is not sent, lest a claim
// takes an event that was delivered without it.
func TestBatches(t *testing.T) {
	now := time.Now()
	b := batches{underway: true}
	for i := range 2*maxBatch + 3 {
		q := &queued{began: now}
		if i < 2 {
			q.began = now.Add(-maxQueued - 1)
		}
		b.waiting = append(b.waiting, q)
	}
	all := slices.Clone(b.waiting)
	for _, want := range []struct{ batch, late int }{{maxBatch, 2}, {maxBatch, 0}, {1, 0}, {0, 0}} {
		if !b.underway {
			t.Error("nothing is under way while there is more")
		}
		batch, late := b.take(now)
		if got := slices.Concat(late, batch); len(batch) != want.batch || len(late) != want.late || !slices.Equal(got, all[:len(got)]) {
			t.Errorf("%d go together and %d are late, want %v", len(batch), len(late), want)
		}
		all = all[len(batch)+len(late):]
	}
	if b.underway {
		t.Error("something is under way when all has been taken")
	}
}

// TestClaimWithoutRedis: nobody can tell, within a bounded time, however many ask; once Redis
// answers, it tells, also of an event that was delivered meanwhile.
func TestClaimWithoutRedis(t *testing.T) {
	s, server, _ := startEvents(t)
	server.Suspend()
	var claiming sync.WaitGroup
	for i := range 3 * maxBatch {
		claiming.Go(func() {
			if _, _, _, err := s.ClaimEvent(context.Background(), credentialtest.ID(1), []string{strconv.Itoa(i)}, time.Minute); !errors.Is(err, ErrUnavailable) {
				t.Errorf("claimed: %v", err)
			}
		})
	}
	claiming.Wait()
	delivered, _, _, err := s.ClaimEvent(t.Context(), credentialtest.ID(1), []string{"delivered"}, time.Minute)
	if delivered == nil || !errors.Is(err, ErrUnavailable) {
		t.Fatalf("%v, %v", delivered, err)
	}
	server.Resume()
	eventually(t, "that the event was delivered is noted", func() bool { return delivered.Done(t.Context(), 202) == nil })
	if _, state, status, err := s.ClaimEvent(t.Context(), credentialtest.ID(1), []string{"delivered"}, time.Minute); state != EventDone || status != 202 {
		t.Errorf("%v, %d, %v", state, status, err)
	}
	eventually(t, "an event is claimed", func() bool {
		_, state, _, err := s.ClaimEvent(t.Context(), credentialtest.ID(1), []string{"afterwards"}, time.Minute)
		return err == nil && state == EventNew
	})
}

// TestClaimOutlivesItsStore: a reload that changes the store closes the one of before, on which
// the last requests have claims to settle.
func TestClaimOutlivesItsStore(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, before, after *Store) {
		claim, _, _, err := before.ClaimEvent(t.Context(), credentialtest.ID(1), []string{"event"}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if err := before.Destruct(); err != nil {
			t.Fatal(err)
		}
		if err := claim.Done(t.Context(), 202); err != nil {
			t.Fatal(err)
		}
		if _, state, status, err := after.ClaimEvent(t.Context(), credentialtest.ID(1), []string{"event"}, time.Hour); state != EventDone || status != 202 {
			t.Errorf("%v, %d, %v", state, status, err)
		}
		if _, _, _, err := before.ClaimEvent(t.Context(), credentialtest.ID(1), []string{"another"}, time.Hour); !errors.Is(err, ErrUnavailable) {
			t.Errorf("the store is not closed behind its last claim: %v", err)
		}
	})
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
