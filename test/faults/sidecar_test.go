package faults

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// unknownAge is how old a keyring may be for the guard to call a token unknown.
const unknownAge = 2 * time.Second

func long() bool { return os.Getenv("HOOKGATE_FAULTS") == "long" }

// sidecar is a store as a process has it, and the guard that reads its keyring.
type sidecar struct {
	*store.Store
	t      testing.TB
	policy guard.Policy
	now    keyring.Clock
}

type setting func(*store.Config, *store.Tuning)

func bound(maxStaleness time.Duration) setting {
	return func(_ *store.Config, t *store.Tuning) { t.MaxStaleness = maxStaleness }
}

func waitReplicas(n int) setting {
	return func(_ *store.Config, t *store.Tuning) { t.WaitReplicas = n }
}

// launch starts a sidecar that ends with the test.
func launch(t testing.TB, where redisconn.Server, settings ...setting) *sidecar {
	t.Helper()
	config := store.Config{Redis: where, Namespace: "hookgate", Clock: time.Now}
	tuning := store.Tuning{
		UsageFlush: 300 * time.Millisecond, MaxStaleness: 30 * time.Second,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, set := range settings {
		set(&config, &tuning)
	}
	s, err := store.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Destruct() })
	if err := s.Start(tuning); err != nil {
		t.Fatal(err)
	}
	callback, err := guard.CallbackRoute("/v1/exceptions/{exceptionId}/callback")
	if err != nil {
		t.Fatal(err)
	}
	return &sidecar{Store: s, t: t, now: config.Clock, policy: guard.Policy{
		Routes: []guard.Route{callback}, MaxBody: 1 << 20, MaxStaleness: tuning.MaxStaleness,
	}}
}

// open starts a sidecar and waits until its keyring is loaded.
func open(t testing.TB, where redisconn.Server, settings ...setting) *sidecar {
	t.Helper()
	s := launch(t, where, settings...)
	s.eventually("the keyring is loaded", func() bool { return s.stats().Loaded })
	return s
}

func at(server interface{ URL() string }) redisconn.Server {
	return redisconn.Server{URLs: []string{server.URL()}}
}

func (s *sidecar) stats() store.Stats { return s.Stats(s.now()) }

func (s *sidecar) eventually(what string, holds func() bool) {
	s.t.Helper()
	hookgatetest.Eventually(s.t, what, holds)
}

// awaitProof returns when the keyring has been proved equal to Redis as it is now.
func (s *sidecar) awaitProof() {
	s.t.Helper()
	from := s.now()
	s.eventually("the keyring is proved fresh", func() bool {
		return s.stats().RedisUp && s.proved().After(from)
	})
}

// proved is when the keyring was last proved equal to Redis.
func (s *sidecar) proved() time.Time {
	now := s.now()
	age, loaded := s.Keyring().Age(now)
	if !loaded {
		return time.Time{}
	}
	return now.Add(-age)
}

func (s *sidecar) awaitDown() {
	s.t.Helper()
	s.eventually("the store notices", func() bool { return !s.stats().RedisUp })
}

// decide is what the guard says to a request with the token.
func (s *sidecar) decide(token string) guard.Outcome {
	return s.decideAt(token, s.now())
}

func (s *sidecar) decideAt(token string, now time.Time) guard.Outcome {
	request := guard.Request{Method: "POST", Target: "/v1/exceptions/7d4f/callback", Tokens: []string{token}}
	return s.policy.Decide(&request, s.Keyring(), now).Outcome
}

func (s *sidecar) want(what, token string, outcome guard.Outcome) {
	s.t.Helper()
	if got := s.decide(token); got != outcome {
		s.t.Errorf("%s: %s, want %s (%+v)", what, got, outcome, s.stats())
	}
}

var tenant = uuid.MustParse("11111111-1111-4111-8111-111111111111")

func ref(c credential.Credential) store.Ref {
	return store.Ref{Tenant: c.Tenant, Kind: c.Kind, ID: c.ID}
}

func (s *sidecar) tryMint() (credential.Credential, string, error) {
	return s.Mint(context.Background(), credential.Spec{Tenant: tenant, Kind: credential.KindCallback, Label: "acme"})
}

func (s *sidecar) mint() (credential.Credential, string) {
	s.t.Helper()
	c, token, err := s.tryMint()
	if err != nil {
		s.t.Fatalf("Mint: %v", err)
	}
	return c, token
}

func (s *sidecar) revoke(c credential.Credential) {
	s.t.Helper()
	if err := s.Revoke(context.Background(), ref(c)); err != nil {
		s.t.Fatalf("Revoke: %v", err)
	}
}

func (s *sidecar) record(c credential.Credential) credential.Credential {
	s.t.Helper()
	got, err := s.Get(context.Background(), ref(c))
	if err != nil {
		s.t.Fatalf("Get: %v", err)
	}
	return got
}

// wantUnavailable checks that operators are told so, and nothing else.
func (s *sidecar) wantUnavailable() {
	s.t.Helper()
	if _, token, err := s.tryMint(); !errors.Is(err, store.ErrUnavailable) || token != "" {
		s.t.Errorf("Mint: token %t, %v, want ErrUnavailable", token != "", err)
	}
}

// unheard is a plausible token that was never minted here: its checksum is right.
const unheard = "mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk"

// set is what a data set is expected to hold.
type set struct {
	live, revoked           string
	credential, revokedOnce credential.Credential
}

// listed returns every callback credential of the tenant.
func listed(ctx context.Context, s *store.Store) (all []credential.Credential, err error) {
	err = s.List(ctx, tenant, credential.KindCallback, func(page []credential.Credential) error {
		all = append(all, page...)
		return nil
	})
	return all, err
}

// fill mints a set on the sidecar.
func (s *sidecar) fill() set {
	s.t.Helper()
	var all set
	all.credential, all.live = s.mint()
	all.revokedOnce, all.revoked = s.mint()
	s.revoke(all.revokedOnce)
	return all
}

// wantSet checks that the sidecar decides as if nothing had happened.
func (s *sidecar) wantSet(all set) {
	s.t.Helper()
	s.want("the live token", all.live, guard.Allowed)
	if got := s.decide(all.revoked); got != guard.Revoked && got != guard.Unknown {
		s.t.Errorf("the revoked token: %s", got)
	}
}

// sees waits until the sidecar decides so.
func (s *sidecar) sees(what, token string, outcomes ...guard.Outcome) {
	s.t.Helper()
	s.eventually(fmt.Sprintf("%s is %v", what, outcomes), func() bool {
		got := s.decide(token)
		for _, outcome := range outcomes {
			if got == outcome {
				return true
			}
		}
		return false
	})
}
