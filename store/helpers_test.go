package store

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential/credentialtest"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

const patience = redistest.Patience

var eventually = redistest.Eventually

// testLog shows the store's log where a test fails. Stores are destructed before the
// test they log to has ended.
func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

// newStore returns a Store that is destructed when the test ends, not started yet.
func newStore(t testing.TB, config Config) *Store {
	t.Helper()
	if config.Namespace == "" {
		config.Namespace = "hookgate"
	}
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Destruct() })
	return s
}

// open returns a started Store whose keyring is loaded.
func open(t testing.TB, config Config) *Store {
	t.Helper()
	s := newStore(t, config)
	// Uses are flushed where a test says so, and at the end.
	if err := s.Start(Tuning{UsageFlush: time.Hour, Logger: testLog(t)}); err != nil {
		t.Fatal(err)
	}
	awaitLoaded(t, s)
	return s
}

func awaitLoaded(t testing.TB, s *Store) {
	t.Helper()
	eventually(t, "the keyring is loaded", func() bool { return s.Stats(time.Now()).Loaded })
}

// awaitProof returns when the keyring has been proved equal to Redis as it is now.
func awaitProof(t testing.TB, s *Store) {
	t.Helper()
	now := time.Now()
	eventually(t, "the keyring is proved fresh", func() bool {
		fresh := s.keyring.Fresh.Load()
		return fresh != nil && fresh.After(now)
	})
}

// destruct closes a store in the middle of a test.
func destruct(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Destruct(); err != nil {
		t.Fatalf("Destruct: %v", err)
	}
}

func (s *Store) flushNow(t testing.TB) {
	t.Helper()
	if err := s.usage.flush(t.Context(), s.keys, s.opened.Load().scripts); err != nil {
		t.Fatalf("flush: %v", err)
	}
}

// backEnd is one of the places that credentials can be kept in.
type backEnd struct {
	name string
	// prepare makes an empty data set and returns how to reach it.
	prepare func(t *testing.T) Config
	// shared: several Stores can be open on one data set.
	shared bool
}

var backEnds = []backEnd{
	{name: "miniredis", shared: true, prepare: func(t *testing.T) Config {
		return Config{Redis: redisconn.Server{URLs: []string{"redis://" + miniredis.RunT(t).Addr()}}}
	}},
	{name: "embedded", prepare: func(t *testing.T) Config {
		return Config{EmbeddedDir: t.TempDir()}
	}},
	{name: "redis", shared: true, prepare: func(t *testing.T) Config {
		return Config{Redis: redisconn.Server{URLs: []string{redistest.Start(t).URL()}}}
	}},
}

// onEachBackEnd runs the test on an empty data set of every back end.
func onEachBackEnd(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Helper()
	t.Parallel()
	for _, b := range backEnds {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, b.prepare(t)))
		})
	}
}

// onEachSharedBackEnd runs the test with two Stores on one data set, as two sidecars.
func onEachSharedBackEnd(t *testing.T, test func(t *testing.T, a, b *Store)) {
	t.Helper()
	t.Parallel()
	for _, b := range backEnds {
		if b.shared {
			t.Run(b.name, func(t *testing.T) {
				t.Parallel()
				config := b.prepare(t)
				test(t, open(t, config), open(t, config))
			})
		}
	}
}

var tenant = credentialtest.Tenant

func callbackSpec() credential.Spec {
	return credential.Spec{Tenant: tenant, Kind: credential.KindCallback, Label: "acme"}
}

func webhookSpec() credential.Spec {
	return credential.Spec{Tenant: tenant, Kind: credential.KindWebhook, Vendor: "belvo", Connection: "belvo-main"}
}

func ref(c credential.Credential) Ref { return Ref{Tenant: c.Tenant, Kind: c.Kind, ID: c.ID} }

func mint(t testing.TB, s *Store, spec credential.Spec) (credential.Credential, string) {
	t.Helper()
	c, token, err := s.Mint(context.Background(), spec)
	if err != nil {
		t.Fatalf("Mint: %v", err)
	}
	return c, token
}

func rotate(t testing.TB, s *Store, c credential.Credential) (credential.Credential, string) {
	t.Helper()
	fresh, token, err := s.Rotate(context.Background(), ref(c), Rotation{})
	if err != nil {
		t.Fatalf("Rotate: %v", err)
	}
	return fresh, token
}

func revoke(t testing.TB, s *Store, c credential.Credential) {
	t.Helper()
	if err := s.Revoke(context.Background(), ref(c)); err != nil {
		t.Fatalf("Revoke: %v", err)
	}
}

func get(t testing.TB, s *Store, c credential.Credential) credential.Credential {
	t.Helper()
	got, err := s.Get(context.Background(), ref(c))
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	return got
}

func list(t testing.TB, s *Store, tenant uuid.UUID, kind credential.Kind) []credential.Credential {
	t.Helper()
	var all []credential.Credential
	err := s.List(context.Background(), tenant, kind, func(page []credential.Credential) error {
		all = append(all, page...)
		return nil
	})
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	return all
}

func standing(s *Store, token string) keyring.Standing {
	_, standing := s.Keyring().Lookup(credential.DigestToken(token))
	return standing
}

func wantStanding(t testing.TB, s *Store, token string, want keyring.Standing) {
	t.Helper()
	if got := standing(s, token); got != want {
		t.Fatalf("standing of the token = %v, want %v", got, want)
	}
}

// wantNoSecrets fails where a text for operators or clients holds a secret.
func wantNoSecrets(t testing.TB, text string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if secret != "" && strings.Contains(text, secret) {
			t.Fatalf("%q holds the secret %q", text, secret)
		}
	}
}

// node returns a client of the server behind b.
func node(t testing.TB, b *backend) *redis.Client {
	t.Helper()
	client, err := b.commands.Node(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return client
}
