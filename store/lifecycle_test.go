package store

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/journal"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

func TestNothingIsLeftRunning(t *testing.T) {
	// Not parallel: goroutines of other tests would count.
	for _, b := range backEnds {
		t.Run(b.name, func(t *testing.T) {
			config := b.prepare(t)
			before := goleak.IgnoreCurrent()
			s := open(t, config)
			openAccount(t, s)
			destruct(t, s)
			if err := s.Destruct(); err != nil {
				t.Errorf("a second Destruct: %v", err)
			}
			// miniredis goes on with a blocking read of a client that is gone.
			eventually(t, "every goroutine has ended", func() bool { return goleak.Find(before) == nil })
		})
	}
	t.Run("unreachable", func(t *testing.T) {
		server := redistest.Start(t)
		server.Kill()
		before := goleak.IgnoreCurrent()
		s := newStore(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}})
		if err := s.Start(Tuning{Logger: testLog(t)}); err != nil {
			t.Fatal(err)
		}
		awaitDown(t, s)
		destruct(t, s)
		eventually(t, "every goroutine has ended", func() bool { return goleak.Find(before) == nil })
	})
	t.Run("hanging", func(t *testing.T) {
		server := redistest.Start(t)
		before := goleak.IgnoreCurrent()
		s := open(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}})
		c, _ := mint(t, s, callbackSpec())
		server.Suspend()
		s.MarkUsed(c.ID, time.Now())
		if err := s.Destruct(); !errors.Is(err, ErrUnavailable) {
			t.Errorf("Destruct lost a use and says %v", err)
		}
		eventually(t, "every goroutine has ended", func() bool { return goleak.Find(before) == nil })
	})
	t.Run("failed start", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "journal"), []byte("not ours"), 0o600); err != nil {
			t.Fatal(err)
		}
		before := goleak.IgnoreCurrent()
		if err := newStore(t, Config{EmbeddedDir: dir}).Start(Tuning{}); !errors.Is(err, journal.ErrJournalMagic) {
			t.Errorf("Start: %v", err)
		}
		goleak.VerifyNone(t, before)
	})
}

func TestStartAgainChangesOnlyTheTuning(t *testing.T) {
	s := open(t, Config{EmbeddedDir: t.TempDir()})
	b := s.opened.Load()
	if err := s.Start(Tuning{UsageFlush: time.Minute, Logger: testLog(t)}); err != nil {
		t.Fatal(err)
	}
	if s.opened.Load() != b || s.tuning.Load().UsageFlush != time.Minute {
		t.Error("Start opened the data set again, or kept the old tuning")
	}
	if err := s.Start(Tuning{UsageFlush: -1}); err != nil || s.tuning.Load().UsageFlush != DefaultUsageFlush {
		t.Errorf("%v, flushed every %v", err, s.tuning.Load().UsageFlush)
	}
}

func TestChangesDuringDestruct(t *testing.T) {
	t.Parallel()
	for _, b := range backEnds {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			config := b.prepare(t)
			s := open(t, config)
			var mu sync.Mutex
			var tokens []string
			var minting sync.WaitGroup
			for range 4 {
				minting.Go(func() {
					for {
						_, token, err := s.Mint(t.Context(), callbackSpec())
						if err != nil {
							if !errors.Is(err, ErrUnavailable) {
								t.Errorf("Mint: %v", err)
							}
							return
						}
						mu.Lock()
						tokens = append(tokens, token)
						mu.Unlock()
					}
				})
			}
			eventually(t, "some are minted", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return len(tokens) > 10
			})
			s.Destruct() // may report what the mints still hold
			minting.Wait()
			again := open(t, config)
			for _, token := range tokens {
				wantStanding(t, again, token, keyring.Live)
			}
		})
	}
}

// In a bubble time is fake: it passes at once when everything waits for it.
func TestUsageIsFlushedInTime(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, Config{EmbeddedDir: dir})
		if err := s.Start(Tuning{UsageFlush: 5 * time.Second}); err != nil {
			t.Fatal(err)
		}
		awaitLoaded(t, s)
		c, _ := mint(t, s, callbackSpec())
		for range 3 {
			used := markUsed(s, c, time.Now())
			time.Sleep(5*time.Second + time.Millisecond)
			synctest.Wait()
			if n := s.Stats(time.Now()).UsagePending; n != 0 {
				t.Errorf("%d pending after usage_flush", n)
			}
			wantUsed(t, s, c, used)
		}
		if n := s.Stats(time.Now()).UsageFlushed; n != 3 {
			t.Errorf("%d batches for three uses", n)
		}
		destruct(t, s)
	})
}

func TestAgeStaysSmallWhileRedisAnswers(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, Config{EmbeddedDir: dir})
		if err := s.Start(Tuning{}); err != nil {
			t.Fatal(err)
		}
		awaitLoaded(t, s)
		for range 60 {
			time.Sleep(time.Second)
			if age := s.Stats(time.Now()).Age; age > pollInterval+10*time.Millisecond {
				t.Fatalf("age %v with an idle, healthy Redis", age)
			}
		}
		s.embedded().Redis.SetError("LOADING of the data set")
		time.Sleep(10 * time.Second)
		st := s.Stats(time.Now())
		if st.RedisUp || st.Age < 10*time.Second || st.Age > 11*time.Second {
			t.Errorf("after ten seconds of errors: %+v", st)
		}
		s.embedded().Redis.SetError("")
		time.Sleep(maxBackoff + 2*pollInterval)
		if st := s.Stats(time.Now()); !st.RedisUp || st.Age > pollInterval+10*time.Millisecond {
			t.Errorf("after they ended: %+v", st)
		}
		destruct(t, s)
	})
}
