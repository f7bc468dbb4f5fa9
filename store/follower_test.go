package store

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

func openOn(t *testing.T, server *redistest.Server) *Store {
	t.Helper()
	return open(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}})
}

// awaitDown returns when the store has noticed that Redis does not answer for it.
func awaitDown(t *testing.T, s *Store) {
	t.Helper()
	eventually(t, "the store notices", func() bool { return !s.Stats(time.Now()).RedisUp })
}

// wantAging fails where the keyring is proved fresh once more.
func wantAging(t *testing.T, s *Store) {
	t.Helper()
	first := s.keyring.Fresh.Load()
	eventually(t, "the age grows", func() bool { return s.Stats(time.Now()).Age > pollInterval+100*time.Millisecond })
	if s.keyring.Fresh.Load() != first {
		t.Error("the keyring was proved fresh meanwhile")
	}
}

func TestKeyringOutlastsAnOutageOfRedis(t *testing.T) {
	t.Parallel()
	for name, outage := range map[string]struct{ begin, end func(*redistest.Server) }{
		"stopped": {(*redistest.Server).Stop, (*redistest.Server).Restart},
		"killed":  {(*redistest.Server).Kill, (*redistest.Server).Restart},
		"hangs":   {(*redistest.Server).Suspend, (*redistest.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, redistest.WithAOF())
			s := openOn(t, server)
			a := openAccount(t, s)
			awaitProof(t, s)
			loads := s.Stats(time.Now()).Resyncs
			outage.begin(server)
			awaitDown(t, s)
			wantAging(t, s)
			wantStanding(t, s, a.liveToken, keyring.Live)
			wantStanding(t, s, a.revokedToken, keyring.Revoked)
			if _, _, err := s.Mint(t.Context(), webhookSpec()); !errors.Is(err, ErrUnavailable) {
				t.Errorf("Mint: %v", err)
			}
			outage.end(server)
			awaitProof(t, s)
			eventually(t, "Redis is up", func() bool { return s.Stats(time.Now()).RedisUp })
			if got := s.Stats(time.Now()).Resyncs[ResyncGap]; got != loads[ResyncGap] {
				t.Error("an outage without a gap was answered with a snapshot")
			}
			a.check(t, s)
			_, token := mint(t, s, callbackSpec())
			wantStanding(t, s, token, keyring.Live)
		})
	}
}

func TestStartsBeforeRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Kill()
	s := newStore(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}})
	if err := s.Start(Tuning{Logger: testLog(t)}); err != nil {
		t.Fatalf("Start without Redis: %v", err)
	}
	awaitDown(t, s)
	if s.Stats(time.Now()).Loaded {
		t.Error("loaded without Redis")
	}
	server.Restart()
	awaitLoaded(t, s)
	_, token := mint(t, s, callbackSpec())
	wantStanding(t, s, token, keyring.Live)
}

func TestEmptiedRedisIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, empty := range map[string]func(*testing.T, *redistest.Server){
		"flushed":                    func(t *testing.T, server *redistest.Server) { server.Client().FlushAll(t.Context()) },
		"restarted without its data": func(_ *testing.T, server *redistest.Server) { server.Restart() },
		"refilled by a newcomer": func(t *testing.T, server *redistest.Server) {
			server.Client().FlushAll(t.Context())
			mint(t, openOn(t, server), callbackSpec())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			s := openOn(t, server)
			a := openAccount(t, s)
			awaitProof(t, s)
			empty(t, server)
			awaitDown(t, s)
			wantAging(t, s)
			wantStanding(t, s, a.liveToken, keyring.Live)
			wantStanding(t, s, a.freshToken, keyring.Live)
			wantStanding(t, s, a.revokedToken, keyring.Revoked)
			keys := server.Client().DBSize(t.Context()).Val()
			if _, _, err := s.Mint(t.Context(), callbackSpec()); !errors.Is(err, ErrUnavailable) {
				t.Errorf("Mint into another data set: %v", err)
			}
			if got := server.Client().DBSize(t.Context()).Val(); got != keys {
				t.Errorf("%d keys, were %d: something was written to it", got, keys)
			}
		})
	}
}

// The data set may vanish between the commit that began it and the first look at
// the ledger. The keyring must not count as equal to an empty Redis then.
func TestNewDataSetThatVanishesAtOnce(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := openOn(t, server)
	b := s.opened.Load()
	s.keyring.ApplyLocal(keyring.Change{Epoch: "begun here, and gone", Seq: 1, Head: "head"})
	awaitDown(t, s)
	wantAging(t, s)
	if _, _, err := s.Mint(t.Context(), callbackSpec()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Mint: %v", err)
	}
	if n := node(t, b).DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys in Redis", n)
	}
}

func TestNewDataSetByTheOperatorsWord(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := openOn(t, server)
	c, token := mint(t, s, callbackSpec())
	revoke(t, s, c)
	_, kept := mint(t, s, callbackSpec())
	server.Client().FlushAll(t.Context())
	operator := newStore(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}})
	if err := operator.Start(Tuning{Offline: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := operator.NewEpoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the old tokens are unknown", func() bool {
		return standing(s, kept) == keyring.Unknown && standing(s, token) == keyring.Unknown
	})
	_, token = mint(t, s, callbackSpec())
	wantStanding(t, s, token, keyring.Live)
}

// A data set that was declared new before ours was last seen is somebody else's:
// the address now leads to another Redis.
func TestForeignDataSetIsNotTaken(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := openOn(t, server)
	_, token := mint(t, s, callbackSpec())
	awaitProof(t, s)
	rdb := server.Client()
	rdb.TxPipelined(t.Context(), func(p redis.Pipeliner) error {
		p.FlushAll(t.Context())
		p.HSet(t.Context(), s.keys.meta(), "epoch", "foreign", "schema", "1", "seq", "0",
			"declared", time.Now().Add(-time.Minute).UnixMilli())
		return nil
	})
	awaitDown(t, s)
	wantAging(t, s)
	wantStanding(t, s, token, keyring.Live)
	if _, _, err := s.Mint(t.Context(), callbackSpec()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Mint: %v", err)
	}
}

func TestEmptyRedisIsLoadedByANewcomer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	first, second := openOn(t, server), openOn(t, server)
	awaitProof(t, first)
	if st := first.Stats(time.Now()); !st.Loaded || st.Credentials[credential.KindCallback] != 0 {
		t.Errorf("%+v", st)
	}
	_, token := mint(t, first, callbackSpec())
	wantStanding(t, first, token, keyring.Live)
	eventually(t, "the other sees it", func() bool { return standing(second, token) == keyring.Live })
	_, token = mint(t, second, callbackSpec())
	wantStanding(t, second, token, keyring.Live)
	eventually(t, "the first sees the second one's", func() bool { return standing(first, token) == keyring.Live })
}

// A demoted or isolated master answers reads; only a write tells.
func TestReadsAloneProveNothing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := openOn(t, server)
	_, token := mint(t, s, callbackSpec())
	awaitProof(t, s)
	rdb := server.Client()
	if err := rdb.ConfigSet(t.Context(), "min-replicas-to-write", "1").Err(); err != nil {
		t.Fatal(err)
	}
	awaitDown(t, s)
	wantAging(t, s)
	wantStanding(t, s, token, keyring.Live)
	if err := rdb.ConfigSet(t.Context(), "min-replicas-to-write", "0").Err(); err != nil {
		t.Fatal(err)
	}
	awaitProof(t, s)
}

func TestUnreadableValueEndsFreshness(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := openOn(t, server)
	_, token := mint(t, s, callbackSpec())
	awaitProof(t, s)
	rdb := server.Client()
	id, err := rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: s.keys.ledger(), Values: []string{"not", "ours"}}).Result()
	if err != nil {
		t.Fatal(err)
	}
	awaitDown(t, s)
	wantAging(t, s)
	wantStanding(t, s, token, keyring.Live)
	rdb.XDel(t.Context(), s.keys.ledger(), id)
	awaitProof(t, s)
}

func TestSnapshotUnderConcurrentChanges(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	writer := openOn(t, server)
	stop := make(chan struct{})
	var writing sync.WaitGroup
	var mu sync.Mutex
	tokens := map[string]bool{} // and whether it is live
	for range 3 {
		writing.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				c, first, err1 := writer.Mint(t.Context(), callbackSpec())
				fresh, second, err2 := writer.Rotate(t.Context(), ref(c), Rotation{})
				err3 := writer.Revoke(t.Context(), ref(fresh))
				_, kept, err4 := writer.Mint(t.Context(), callbackSpec())
				if err := errors.Join(err1, err2, err3, err4); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				tokens[first], tokens[second], tokens[kept] = false, false, true
				mu.Unlock()
			}
		})
	}
	var readers []*Store
	for range 4 {
		readers = append(readers, openOn(t, server)) // each takes its snapshot meanwhile
	}
	close(stop)
	writing.Wait()
	for _, reader := range readers {
		awaitProof(t, reader)
		for token, live := range tokens {
			if got := standing(reader, token) == keyring.Live; got != live {
				t.Fatalf("a token is live: %t, want %t", got, live)
			}
		}
	}
}

// Expiry and lastUsedAt go by the clock of Redis, whatever the sidecar's says.
func TestSkewedSidecar(t *testing.T) {
	for name, skew := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			skewed := func() time.Time { return time.Now().Add(skew) }
			s := open(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}, Clock: skewed})
			spec := callbackSpec()
			spec.ExpiresAt = time.Now().Add(time.Minute) // in Redis time
			c, token := mint(t, s, spec)
			key, _ := s.Keyring().Lookup(credential.DigestToken(token))
			if now := s.Keyring().ServerTime(skewed()).UnixMilli(); now >= key.ExpiresAt || now < key.ExpiresAt-61_000 {
				t.Errorf("the sidecar believes it is %d, expiry is at %d", now, key.ExpiresAt)
			}
			if !near(c.CreatedAt, time.Now()) {
				t.Errorf("created at %v", c.CreatedAt)
			}
			if age := s.Stats(skewed()).Age; age > patience {
				t.Errorf("age %v", age)
			}
			s.MarkUsed(c.ID, skewed())
			if used := get(t, s, c).LastUsedAt; !near(used, time.Now()) {
				t.Errorf("pending: last used at %v", used)
			}
			s.flushNow(t)
			if used := get(t, s, c).LastUsedAt; !near(used, time.Now()) {
				t.Errorf("last used at %v", used)
			}
			expired := callbackSpec()
			expired.ExpiresAt = time.Now().Add(-time.Minute)
			ended, _ := mint(t, s, expired)
			if _, _, err := s.Rotate(t.Context(), ref(ended), Rotation{}); !errors.Is(err, ErrInactive) {
				t.Errorf("Rotate of an expired credential: %v", err)
			}
			rotate(t, s, c)
		})
	}
}

// near allows for a slow machine, not for an hour.
func near(a, b time.Time) bool { return a.Sub(b).Abs() < patience }
