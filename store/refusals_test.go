package store

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store/redisconn"
)

func (s *Store) flushRefusals(t testing.TB) {
	t.Helper()
	if err := s.refusals.flush(t.Context(), s.keys, s.opened.Load().scripts, false); err != nil {
		t.Fatalf("flush: %v", err)
	}
}

func shownRefusals(c credential.Credential) (shown []string) {
	for _, r := range c.LastRefusals {
		shown = append(shown, r.Outcome+" "+r.Address)
	}
	return shown
}

var refusedFrom = netip.MustParseAddr("2001:db8::1")

// TestLastRefusals: the newest few of each credential are shown, before they are written
// and after, also of one that is revoked.
func TestLastRefusals(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, _ := mint(t, s, callbackSpec())
		revoke(t, s, c)
		now := time.Now()
		for i := range 7 {
			s.MarkRefused(c.ID, fmt.Sprintf("outcome%d", i), refusedFrom, now.Add(time.Duration(i-10)*time.Second))
		}
		s.MarkRefused(c.ID, "late", netip.Addr{}, now.Add(-6500*time.Millisecond))
		want := []string{"outcome6 2001:db8::1", "outcome5 2001:db8::1", "outcome4 2001:db8::1", "late ", "outcome3 2001:db8::1"}
		for range 3 {
			if got := shownRefusals(get(t, s, c)); !slices.Equal(got, want) {
				t.Errorf("shown %q", got)
			}
			if listed := list(t, s, tenant, credential.KindCallback); len(listed) != 1 || !slices.Equal(shownRefusals(listed[0]), want) {
				t.Errorf("listed %+v", listed)
			}
			s.flushRefusals(t)
		}
		s.MarkRefused(c.ID, "ahead", refusedFrom, now.Add(time.Hour))
		s.flushRefusals(t)
		got := get(t, s, c).LastRefusals
		if len(got) != refusalsKept || got[0].Outcome != "ahead" || got[0].At.After(time.Now().Add(2*time.Second)) || got[1].Outcome != "outcome6" {
			t.Errorf("%+v", got)
		}
		if at := got[1].At; at.Sub(now.Add(-4*time.Second)).Abs() > time.Minute {
			t.Errorf("at %v", at)
		}
	})
}

// TestRefusalsOfSeveralSidecars come together, and a batch that is written twice is there
// once.
func TestRefusalsOfSeveralSidecars(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, a, b *Store) {
		c, _ := mint(t, a, callbackSpec())
		now := time.Now()
		never := uuid.New()
		for range 2 {
			a.MarkRefused(c.ID, "source_ip", refusedFrom, now.Add(-3*time.Second))
			a.MarkRefused(never, "source_ip", refusedFrom, now)
			b.MarkRefused(c.ID, "signature", netip.Addr{}, now.Add(-2*time.Second))
			b.flushRefusals(t)
			a.flushRefusals(t)
		}
		if n := node(t, a.opened.Load()).Exists(t.Context(), a.keys.record(never)).Val(); n != 0 {
			t.Error("a record was made of a refusal")
		}
		stored := get(t, open(t, a.config), c)
		if got := shownRefusals(stored); len(got) < 2 || got[0] != "signature " || !slices.Contains(got, "source_ip 2001:db8::1") {
			t.Errorf("%q", got)
		}
	})
}

// failingScripts are those of a Redis that takes nothing.
type failingScripts struct{}

func (failingScripts) Run(context.Context, redisconn.Script, int, []string, []any) (any, error) {
	return nil, errors.New("READONLY")
}

// TestRefusalsAreBounded: a flood over ever other credentials takes a bounded amount of
// memory and, of each flush, of Redis; what could not be written is kept; and at the end
// all is written.
func TestRefusalsAreBounded(t *testing.T) {
	t.Parallel()
	config := Config{EmbeddedDir: t.TempDir()}
	s := open(t, config)
	c, _ := mint(t, s, callbackSpec())
	now := time.Now()
	s.MarkRefused(c.ID, "expired", refusedFrom, now)
	for range 3 * refusedShards * refusedMost {
		s.MarkRefused(uuid.New(), "revoked", refusedFrom, now)
	}
	pending := func() (n int) {
		for i := range s.refusals.shards {
			n += len(s.refusals.shards[i].last)
		}
		return n
	}
	before := pending()
	if before > refusedShards*refusedMost {
		t.Errorf("%d credentials in memory", before)
	}
	if err := s.refusals.flush(t.Context(), s.keys, failingScripts{}, false); !errors.Is(err, ErrUnavailable) || pending() != before {
		t.Errorf("%v, %d pending of %d", err, pending(), before)
	}
	s.flushRefusals(t)
	if written := before - pending(); written == 0 || written > refusedPerFlush {
		t.Errorf("one flush wrote %d", written)
	}
	destruct(t, s)
	if n := pending(); n != 0 {
		t.Errorf("%d are left at the end", n)
	}
	if got := shownRefusals(get(t, open(t, config), c)); !slices.Equal(got, []string{"expired 2001:db8::1"}) {
		t.Errorf("%q", got)
	}
}
