package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential/credentialtest"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

func TestUsageIsWritten(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, _ := mint(t, s, callbackSpec())
		version := get(t, s, c).Version
		used := time.Now().Truncate(time.Millisecond)
		s.MarkUsed(c.ID, used.Add(-time.Second))
		s.MarkUsed(c.ID, used)
		s.MarkUsed(c.ID, used.Add(-time.Minute))
		want := s.usage.snapshot()[c.ID]
		wantUsed(t, s, c, want) // an operator sees it before it is written
		if n := s.Stats(time.Now()).UsagePending; n != 1 {
			t.Errorf("%d pending, want 1", n)
		}
		s.flushNow(t)
		st := s.Stats(time.Now())
		if st.UsagePending != 0 || st.UsageFlushed != 1 || st.UsageFailed != 0 {
			t.Errorf("after the flush: %+v", st)
		}
		wantUsed(t, s, c, want)
		if listed := list(t, s, tenant, credential.KindCallback)[0].LastUsedAt; listed.UnixMilli() != want || listed.Location() != time.UTC {
			t.Errorf("listed with %v", listed)
		}
		s.MarkUsed(c.ID, used.Add(-time.Hour)) // an older use moves nothing
		s.flushNow(t)
		wantUsed(t, s, c, want)
		if get(t, s, c).Version != version {
			t.Error("a use counts as a change of the credential")
		}
		revoke(t, s, c) // and is kept by one
		wantUsed(t, s, c, want)
	})
}

// markUsed returns the time in ms that should be written: the local one in Redis
// time, as it is estimated at this moment.
func markUsed(s *Store, c credential.Credential, at time.Time) int64 {
	s.MarkUsed(c.ID, at)
	return s.usage.snapshot()[c.ID]
}

func wantUsed(t *testing.T, s *Store, c credential.Credential, ms int64) {
	t.Helper()
	if got := get(t, s, c).LastUsedAt.UnixMilli(); got != ms {
		t.Errorf("last used at %d, want %d", got, ms)
	}
}

func TestUsageIsNeverLaterThanTheServer(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, _ := mint(t, s, callbackSpec())
		s.MarkUsed(c.ID, time.Now().Add(24*time.Hour))
		s.flushNow(t)
		if got := get(t, s, c).LastUsedAt; got.After(time.Now().Add(2 * time.Second)) {
			t.Errorf("last used at %v", got)
		}
	})
}

func TestUsageRecreatesNothing(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, s, _ *Store) {
		rdb := node(t, s.opened.Load())
		never := uuid.New()
		s.MarkUsed(never, time.Now())
		s.flushNow(t)
		if n := rdb.Exists(t.Context(), s.keys.record(never)).Val(); n != 0 {
			t.Error("a record was made of a use")
		}
		if n := s.Stats(time.Now()).UsagePending; n != 0 {
			t.Errorf("%d pending", n)
		}
	})
}

func TestUsageOfOthersIsWrittenBesideAForeignKey(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, s, _ *Store) {
		c, _ := mint(t, s, callbackSpec())
		foreign := uuid.New()
		node(t, s.opened.Load()).Set(t.Context(), s.keys.record(foreign), "not a record", 0)
		used := time.Now()
		s.MarkUsed(foreign, used)
		want := markUsed(s, c, used)
		s.flushNow(t)
		if n := s.Stats(used).UsagePending; n != 0 {
			t.Errorf("%d pending", n)
		}
		wantUsed(t, s, c, want)
	})
}

func TestNewestUseWinsAcrossSidecars(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, a, b *Store) {
		c, _ := mint(t, a, callbackSpec())
		now := time.Now()
		want := markUsed(a, c, now)
		b.MarkUsed(c.ID, now.Add(-time.Minute))
		a.flushNow(t)
		b.flushNow(t)
		wantUsed(t, b, c, want)
	})
}

func TestUsageBeyondOneBatch(t *testing.T) {
	t.Parallel()
	s := open(t, Config{EmbeddedDir: t.TempDir()})
	c, _ := mint(t, s, callbackSpec())
	used := time.Now()
	s.MarkUsed(c.ID, used)
	for range 2 * usageBatch {
		s.MarkUsed(uuid.New(), used)
	}
	s.flushNow(t)
	if st := s.Stats(time.Now()); st.UsagePending != 0 || st.UsageFlushed != 3 {
		t.Errorf("%d pending after %d batches", st.UsagePending, st.UsageFlushed)
	}
}

// scriptFunc runs scripts as a test says.
type scriptFunc func(keys []string) error

func (f scriptFunc) Run(_ context.Context, _ redisconn.Script, _ int, keys []string, _ []any) (any, error) {
	return nil, f(keys)
}

func TestUsageIsKeptWhereItCouldNotBeWritten(t *testing.T) {
	u := newUsageRecorder(&keyring.ServerClock{Local: time.Now})
	u.mark(credentialtest.ID(1), time.Now())
	u.mark(credentialtest.ID(2), time.Now())
	failing := scriptFunc(func([]string) error { return errors.New("no") })
	if err := u.flush(t.Context(), keyspace{}, failing); !errors.Is(err, ErrUnavailable) {
		t.Errorf("flush: %v", err)
	}
	if u.pending() != 2 || u.failed.Load() != 1 {
		t.Errorf("%d pending, %d failed", u.pending(), u.failed.Load())
	}
	written := 0
	counting := scriptFunc(func(keys []string) error { written += len(keys); return nil })
	for range 2 { // the second one has nothing to do
		if err := u.flush(t.Context(), keyspace{}, counting); err != nil {
			t.Fatal(err)
		}
	}
	if u.pending() != 0 || written != 2 {
		t.Errorf("%d pending, %d written", u.pending(), written)
	}
}

func TestUseDuringAFlushIsKept(t *testing.T) {
	u := newUsageRecorder(&keyring.ServerClock{Local: time.Now})
	now := time.Now()
	u.mark(credentialtest.ID(1), now)
	during := scriptFunc(func([]string) error { u.mark(credentialtest.ID(1), now.Add(time.Second)); return nil })
	if err := u.flush(t.Context(), keyspace{}, during); err != nil || u.pending() != 1 {
		t.Errorf("%d pending, %v", u.pending(), err)
	}
}

func TestUsageOutlastsAnOutageOfRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithAOF())
	s := newStore(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}})
	if err := s.Start(Tuning{UsageFlush: 10 * time.Millisecond, Logger: testLog(t)}); err != nil {
		t.Fatal(err)
	}
	awaitLoaded(t, s)
	c, _ := mint(t, s, callbackSpec())
	server.Kill()
	want := markUsed(s, c, time.Now())
	eventually(t, "a flush has failed", func() bool { return s.Stats(time.Now()).UsageFailed > 0 })
	if n := s.Stats(time.Now()).UsagePending; n != 1 {
		t.Errorf("%d pending", n)
	}
	server.Restart()
	eventually(t, "it is written", func() bool { return s.Stats(time.Now()).UsagePending == 0 })
	wantUsed(t, s, c, want)
}
