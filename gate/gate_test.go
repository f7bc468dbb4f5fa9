package gate

import (
	"errors"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/problem"
)

const (
	callbackToken = "mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk"
	unknownToken  = "minted.elsewhere-1"
	callbackPath  = "/v1/exceptions/7d4f/callback"
	maxBody       = 1 << 20
	requestID     = "the-id-of-the-request"
)

var callbackID = uuid.MustParse("01900000-0000-7000-8000-000000000001")

// ring is a keyring that knows callbackToken, which is revoked, or renamed, from a look-up on.
type ring struct {
	revokeAt, renameAt, lookups int // 0: it never is
}

var callbackTenant = uuid.MustParse("01900000-0000-7000-8000-00000000000a")

func (r *ring) Lookup(d credential.Digest) (keyring.Key, keyring.Standing) {
	r.lookups++
	switch {
	case d != credential.DigestToken(callbackToken):
		return keyring.Key{}, keyring.Unknown
	case r.revokeAt > 0 && r.lookups >= r.revokeAt:
		return keyring.Key{ID: callbackID}, keyring.Revoked
	}
	who := keyring.Identity{Tenant: callbackTenant, Kind: credential.KindCallback, Label: "old"}
	if r.renameAt > 0 && r.lookups >= r.renameAt {
		who.Label = "new"
	}
	return keyring.Key{ID: callbackID, Identity: &who}, keyring.Live
}

func (*ring) Age(time.Time) (time.Duration, bool)  { return 0, true }
func (*ring) ServerTime(local time.Time) time.Time { return local }

// server is what a gate under test stands in.
type server struct {
	outcomes   []guard.Outcome
	answered   []int
	forwarding *guard.Forwarding
}

func (*server) Peer(r *http.Request) guard.Peer {
	address, _ := netip.ParseAddrPort(r.RemoteAddr)
	return guard.Peer{Client: address.Addr()}
}
func (*server) RequestID(*http.Request) string                                { return requestID }
func (*server) Decided(*http.Request, *guard.Decision, time.Duration, string) {}
func (s *server) Count(d *guard.Decision)                                     { s.outcomes = append(s.outcomes, d.Outcome) }
func (s *server) Allowed(_ *http.Request, _ *guard.Decision, f *guard.Forwarding, _ time.Time) {
	s.forwarding = f
}
func (s *server) Answered(_ *guard.Decision, status int)    { s.answered = append(s.answered, status) }
func (*server) Translated(*guard.Decision, problem.Problem) {}
func (*server) Unanswered(*http.Request) bool               { return false }

func (*server) Failure(err error) (int, error) {
	if err == nil || errors.Is(err, http.ErrAbortHandler) {
		return 0, nil
	}
	return http.StatusBadGateway, err
}

// handler is what stands behind a gate under test.
type handler func(http.ResponseWriter, *http.Request) error

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) error { return h(w, r) }

// testGate returns a gate with Matcher's routes, and what it logs.
func testGate(t testing.TB) (*Gate, *observer.ObservedLogs) {
	t.Helper()
	callback, err := guard.CallbackRoute("/v1/exceptions/{exceptionId}/callback")
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zapcore.DebugLevel)
	return &Gate{
		Policy:  guard.Policy{Routes: []guard.Route{callback}, TokenHeader: "X-Callback-Token", MaxBody: maxBody, MaxStaleness: time.Minute},
		Keyring: new(ring), Server: new(server), Logger: zap.New(core), Now: time.Now,
	}, logs
}
