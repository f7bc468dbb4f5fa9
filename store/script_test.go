package store

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// snapshotKeys returns every key of the data set in the form DUMP gives it.
func snapshotKeys(t *testing.T, rdb *redis.Client) map[string]string {
	t.Helper()
	ctx := t.Context()
	keys, err := rdb.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, key := range keys {
		if all[key], err = rdb.Dump(ctx, key).Result(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func mintMutation(t testing.TB) mutation {
	t.Helper()
	c, _, err := credential.NewCredential(callbackSpec())
	if err != nil {
		t.Fatal(err)
	}
	return mutation{
		tenant:  c.Tenant,
		records: []recordWrite{{id: c.ID, set: recordFields(&c), stamps: []string{fieldCreatedAt}}},
		digests: []keyring.DigestOp{{Digest: c.Digest, ID: c.ID, Key: keyOf(&c)}},
	}
}

func TestSameNonceAppliesOnce(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		b := s.opened.Load()
		keys, args := s.lay(t.Context(), mintMutation(t), randomHex(), b.ledgerLength)
		var replies []string
		for range 3 {
			reply, err := b.scripts.Run(t.Context(), mutateScript, 0, keys, args)
			if err != nil {
				t.Fatal(err)
			}
			status, fields, err := parseReply(reply)
			if err != nil || status != "OK" {
				t.Fatalf("%s %v", status, err)
			}
			replies = append(replies, strings.Join(fields, " "))
		}
		if replies[1] != replies[0] || replies[2] != replies[0] {
			t.Errorf("the answers differ: %q", replies)
		}
		if n := node(t, b).XLen(t.Context(), s.keys.ledger()).Val(); n != 1 {
			t.Errorf("%d ledger entries", n)
		}
		if seq := node(t, b).HGet(t.Context(), s.keys.meta(), "seq").Val(); seq != "1" {
			t.Errorf("sequence number %s", seq)
		}
		if all := list(t, s, tenant, credential.KindCallback); len(all) != 1 {
			t.Errorf("%d credentials", len(all))
		}
	})
}

// lossy loses the replies of the first calls after they have been executed.
type lossy struct {
	scriptRunner
	losses int
	after  func() // runs after a lost call, if set
}

func (l *lossy) Run(ctx context.Context, script redisconn.Script, replicas int, keys []string, args []any) (any, error) {
	reply, err := l.scriptRunner.Run(ctx, script, replicas, keys, args)
	if l.losses == 0 {
		return reply, err
	}
	l.losses--
	if l.after != nil {
		l.after()
	}
	return nil, io.EOF
}

func (s *Store) loseReplies(n int, after func()) {
	b := *s.opened.Load()
	b.scripts = &lossy{scriptRunner: b.scripts, losses: n, after: after}
	s.opened.Store(&b)
}

func TestLostReplyIsAskedForAgain(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		s.loseReplies(1, nil)
		c, token := mint(t, s, callbackSpec())
		wantStanding(t, s, token, keyring.Live)
		s.loseReplies(1, nil)
		fresh, freshToken := rotate(t, s, c)
		wantStanding(t, s, freshToken, keyring.Live)
		wantStanding(t, s, token, keyring.Revoked)
		s.loseReplies(1, nil)
		revoke(t, s, fresh)
		wantStanding(t, s, freshToken, keyring.Revoked)
		if all := list(t, s, tenant, credential.KindCallback); len(all) != 2 {
			t.Errorf("%d credentials", len(all))
		}
		if seq := node(t, s.opened.Load()).HGet(t.Context(), s.keys.meta(), "seq").Val(); seq != "3" {
			t.Errorf("sequence number %s after three changes", seq)
		}
	})
}

func TestChangeWithoutAReplyIsNotAcknowledged(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		c, token := mint(t, s, callbackSpec())
		s.loseReplies(2, nil)
		if err := s.Revoke(t.Context(), ref(c)); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("Revoke: %v", err)
		}
		// It was applied all the same, so the ledger brings it, and trying again is safe.
		eventually(t, "the ledger brings the revocation", func() bool { return standing(s, token) != keyring.Live })
		revoke(t, s, c)
		s.loseReplies(2, nil)
		if _, token, err := s.Mint(t.Context(), callbackSpec()); !errors.Is(err, ErrUnavailable) || token != "" {
			t.Errorf("Mint: token %t, %v", token != "", err)
		}
	})
}

func TestLostReplyAndAnotherWriter(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, s, other *Store) {
		s.loseReplies(1, func() { revoke(t, other, list(t, other, tenant, credential.KindCallback)[0]) })
		if _, _, err := s.Mint(t.Context(), callbackSpec()); !errors.Is(err, ErrUnavailable) {
			t.Errorf("Mint of what was revoked before its reply came: %v", err)
		}
		c, token := mint(t, s, callbackSpec())
		s.loseReplies(1, func() { revoke(t, other, list(t, other, tenant, credential.KindCallback)[0]) })
		if _, _, err := s.Rotate(t.Context(), ref(c), Rotation{}); !errors.Is(err, ErrInactive) {
			t.Errorf("Rotate to what was revoked before its reply came: %v", err)
		}
		eventually(t, "the old token is refused", func() bool { return standing(s, token) != keyring.Live })
	})
}

func TestRefusedCommitWritesNothing(t *testing.T) {
	t.Parallel()
	m := mintMutation(t)
	keys := keyspace{prefix: "{hookgate}:"}
	for name, spoil := range map[string]func(ctx context.Context, rdb *redis.Client){
		"meta is no hash":   func(ctx context.Context, rdb *redis.Client) { rdb.Set(ctx, keys.meta(), "x", 0) },
		"ledger no stream":  func(ctx context.Context, rdb *redis.Client) { rdb.Set(ctx, keys.ledger(), "x", 0) },
		"tenant is no zset": func(ctx context.Context, rdb *redis.Client) { rdb.Set(ctx, keys.tenant(tenant), "x", 0) },
		"record is no hash": func(ctx context.Context, rdb *redis.Client) { rdb.Set(ctx, keys.record(m.records[0].id), "x", 0) },
		"bucket is no hash": func(ctx context.Context, rdb *redis.Client) { rdb.Set(ctx, keys.bucketOf(m.digests[0].Digest), "x", 0) },
		"record exists":     func(ctx context.Context, rdb *redis.Client) { rdb.HSet(ctx, keys.record(m.records[0].id), "v", "1") },
		"unreadable number": func(ctx context.Context, rdb *redis.Client) { rdb.HSet(ctx, keys.meta(), "epoch", "e", "seq", "many") },
		"later schema":      func(ctx context.Context, rdb *redis.Client) { rdb.HSet(ctx, keys.meta(), "epoch", "e", "schema", "2") },
		"out of memory":     func(ctx context.Context, rdb *redis.Client) { rdb.ConfigSet(ctx, "maxmemory", "1") },
		"replica":           func(ctx context.Context, rdb *redis.Client) { rdb.ReplicaOf(ctx, "127.0.0.1", "1") },
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			rdb := server.Client()
			s := newStore(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}})
			spoil(t.Context(), rdb)
			before := snapshotKeys(t, rdb)
			if err := s.Start(Tuning{Logger: testLog(t)}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.commit(t.Context(), m); err == nil {
				t.Fatal("committed")
			} else if !errors.Is(err, ErrUnavailable) && err != errConflict {
				t.Errorf("%v, want ErrUnavailable", err)
			}
			if after := snapshotKeys(t, rdb); !maps.Equal(before, after) {
				t.Errorf("written: %v, was %v", after, before)
			}
		})
	}
}

func TestUnreadableVersionWritesNothing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := open(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}})
	c, token := mint(t, s, callbackSpec())
	rdb := server.Client()
	rdb.HSet(t.Context(), s.keys.record(c.ID), fieldVersion, "one")
	before := snapshotKeys(t, rdb)
	if err := s.Revoke(t.Context(), ref(c)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Revoke: %v", err)
	}
	if !maps.Equal(before, snapshotKeys(t, rdb)) {
		t.Error("something was written")
	}
	wantStanding(t, s, token, keyring.Live)
}

func TestRevokeWorksWhileRedisIsOutOfMemory(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := open(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}})
	c, token := mint(t, s, callbackSpec())
	paused, pausedToken := mint(t, s, callbackSpec())
	server.Client().ConfigSet(t.Context(), "maxmemory", "1")
	if _, _, err := s.Rotate(t.Context(), ref(c), Rotation{}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Rotate: %v", err)
	}
	wantStanding(t, s, token, keyring.Live)
	if disable(t, s, paused); !disabledHere(s, pausedToken) {
		t.Error("it is not disabled")
	}
	if _, err := s.SetDisabled(t.Context(), ref(paused), false); !errors.Is(err, ErrUnavailable) {
		t.Errorf("enabled: %v", err)
	}
	revoke(t, s, c)
	wantStanding(t, s, token, keyring.Revoked)
	if got := get(t, s, c); got.RevokedAt.IsZero() {
		t.Error("the record is not revoked")
	}
}

func TestScriptFlush(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, s, _ *Store) {
		c, token := mint(t, s, callbackSpec())
		err := node(t, s.opened.Load()).ScriptFlush(t.Context()).Err()
		if redis.IsPermissionError(err) {
			t.Skip("a least-privileged user may not")
		}
		if err != nil {
			t.Fatal(err)
		}
		revoke(t, s, c)
		wantStanding(t, s, token, keyring.Revoked)
	})
}

func TestUnreadableRecordIsAnErrorNotAbsence(t *testing.T) {
	onEachSharedBackEnd(t, func(t *testing.T, s, _ *Store) {
		c, _ := mint(t, s, callbackSpec())
		readable, _ := mint(t, s, callbackSpec())
		node(t, s.opened.Load()).HDel(t.Context(), s.keys.record(c.ID), fieldDigest)
		if _, err := s.Get(t.Context(), ref(c)); !errors.Is(err, credential.ErrCorrupt) {
			t.Errorf("Get: %v", err)
		}
		hides := func(what string, shown []credential.Credential) {
			has := func(id uuid.UUID) bool {
				return slices.ContainsFunc(shown, func(c credential.Credential) bool { return c.ID == id })
			}
			if has(c.ID) || !has(readable.ID) {
				t.Errorf("%s has the unreadable one: %t, and the other: %t", what, has(c.ID), has(readable.ID))
			}
		}
		hides("the whole list", list(t, s, tenant, credential.KindCallback))
		page, _, err := s.Page(t.Context(), tenant, Query{})
		if err != nil {
			t.Errorf("Page: %v", err)
		}
		hides("a page", page)
		if err := s.Revoke(t.Context(), ref(c)); !errors.Is(err, credential.ErrCorrupt) {
			t.Errorf("Revoke: %v", err)
		}
	})
}

func TestErrorsHoldNoAddressAndNoPassword(t *testing.T) {
	t.Parallel()
	const password = "hunter2hunter2"
	server := redistest.Start(t, redistest.WithArgs("--requirepass", password))
	withPassword := func(password string) string {
		return strings.Replace(server.URL(), "redis://", "redis://:"+password+"@", 1)
	}
	s := open(t, Config{Redis: redisconn.Server{URLs: []string{withPassword(password)}}})
	c, token := mint(t, s, callbackSpec())
	wrong := newStore(t, Config{Redis: redisconn.Server{URLs: []string{withPassword("wrong" + password)}}})
	if err := wrong.Start(Tuning{}); err != nil {
		t.Fatal(err)
	}
	lost := newStore(t, Config{Redis: redisconn.Server{URLs: []string{"redis://:" + password + "@" + password + ".invalid:1"}}})
	if err := lost.Start(Tuning{}); err != nil {
		t.Fatal(err)
	}
	check := func(s *Store) {
		t.Helper()
		_, _, mintErr := s.Mint(t.Context(), callbackSpec())
		_, _, rotateErr := s.Rotate(t.Context(), ref(c), Rotation{})
		listErr := s.List(t.Context(), tenant, credential.KindCallback, func([]credential.Credential) error { return nil })
		for _, err := range []error{mintErr, rotateErr, listErr, s.Revoke(t.Context(), ref(c))} {
			if !errors.Is(err, ErrUnavailable) {
				t.Fatalf("%v, want ErrUnavailable", err)
			}
			wantNoSecrets(t, err.Error(), password, server.Addr(), token, credential.DigestToken(token).String(), string(c.Digest[:]))
		}
	}
	check(wrong)
	check(lost)
	server.Suspend()
	check(s)
	server.Kill()
	check(s)
	for _, url := range []string{"http://:" + password + "@host", "redis://:" + password + "@host:port", "redis://:" + password + "@%", password} {
		_, err := New(Config{Redis: redisconn.Server{URLs: []string{url}}, Namespace: "n"})
		if err == nil {
			t.Fatalf("%s is no address", url)
		}
		wantNoSecrets(t, err.Error(), password)
	}
	wantNoSecrets(t, Config{Redis: redisconn.Server{URLs: []string{withPassword(password)}}}.Fingerprint(), password)
}

func TestConfigIsChecked(t *testing.T) {
	for name, config := range map[string]Config{
		"nothing":           {},
		"no namespace":      {Redis: redisconn.Server{URLs: []string{"redis://localhost"}}},
		"brace":             {Redis: redisconn.Server{URLs: []string{"redis://localhost"}}, Namespace: "a}b"},
		"long namespace":    {Redis: redisconn.Server{URLs: []string{"redis://localhost"}}, Namespace: strings.Repeat("n", 65)},
		"no address":        {Namespace: "n"},
		"two homes":         {Redis: redisconn.Server{URLs: []string{"redis://localhost"}}, EmbeddedDir: "dir", Namespace: "n"},
		"unknown option":    {Redis: redisconn.Server{URLs: []string{"redis://localhost?no_such=1"}}, Namespace: "n"},
		"an option":         {Redis: redisconn.Server{URLs: []string{"redis://localhost?read_timeout=9s"}}, Namespace: "n"},
		"skip_verify":       {Redis: redisconn.Server{URLs: []string{"rediss://localhost?skip_verify=true"}}, Namespace: "n"},
		"db and an option":  {Redis: redisconn.Server{URLs: []string{"redis://localhost?db=1&pool_size=1"}}, Namespace: "n"},
		"fragment":          {Redis: redisconn.Server{URLs: []string{"redis://localhost/1#a"}}, Namespace: "n"},
		"TLS without TLS":   {Redis: redisconn.Server{URLs: []string{"redis://localhost"}, TLSServerName: "a"}, Namespace: "n"},
		"no replica known":  {Redis: redisconn.Server{URLs: []string{"redis://localhost"}, SnapshotFrom: redisconn.FromReplicas}, Namespace: "n"},
		"no replica inside": {Redis: redisconn.Server{SnapshotFrom: redisconn.FromReplicas}, EmbeddedDir: "dir", Namespace: "n"},
		"no such source":    {Redis: redisconn.Server{Topology: redisconn.Cluster, URLs: []string{"redis://localhost"}, SnapshotFrom: "replica"}, Namespace: "n"},
		"address of a site": {Redis: redisconn.Server{URLs: []string{"https://localhost"}}, Namespace: "n"},
	} {
		if _, err := New(config); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	a, b := Config{Redis: redisconn.Server{URLs: []string{"ab"}}, Namespace: "c"}, Config{Redis: redisconn.Server{URLs: []string{"a"}}, Namespace: "bc"}
	if a.Fingerprint() == b.Fingerprint() || a.Fingerprint() != (Config{Redis: redisconn.Server{URLs: []string{"ab"}}, Namespace: "c", Clock: time.Now}).Fingerprint() {
		t.Error("the fingerprint does not tell data sets apart")
	}
}

func TestNotStarted(t *testing.T) {
	s := newStore(t, Config{Redis: redisconn.Server{URLs: []string{"redis://127.0.0.1:1"}}})
	if _, _, err := s.Mint(t.Context(), callbackSpec()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Mint: %v", err)
	}
	if st := s.Stats(time.Now()); st.Loaded || st.RedisUp {
		t.Errorf("Stats: %+v", st)
	}
	if err := s.Destruct(); err != nil {
		t.Errorf("Destruct: %v", err)
	}
}
