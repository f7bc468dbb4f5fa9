package admin

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/hookgate/hookgate/internal/droplog"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store"
)

// StatusConfig is what the status handler reports on. Store is required.
type StatusConfig struct {
	Store *store.Store
	// MaxStaleness is the age of the keyring from which the guard decides nothing
	// any more, and the process is not ready.
	MaxStaleness time.Duration
	// Draining reports whether the process is about to end; never where nil.
	Draining func() bool
	// Metrics serves /metrics, which is absent where nil.
	Metrics http.Handler
	// Now is time.Now where nil.
	Now keyring.Clock
}

var statusPaths = []string{"/healthz", "/readyz", "/metrics"}

// IsStatusPath reports whether a path is one that the status handler serves, for a
// listener that has both handlers.
func IsStatusPath(path string) bool { return slices.Contains(statusPaths, path) }

// NewStatus returns the handler of /healthz, which answers as long as the process
// does, of /readyz, which tells whether requests can be decided, and of /metrics.
// None of them asks for a token, and none says where anything is.
func NewStatus(config StatusConfig) http.Handler {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Draining == nil {
		config.Draining = func() bool { return false }
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeStatus(w, http.StatusOK, readiness{Status: statusOK})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		state := config.readiness()
		code := http.StatusOK
		if state.Status == statusUnavailable {
			code = http.StatusServiceUnavailable
		}
		writeStatus(w, code, state)
	})
	if config.Metrics != nil {
		mux.Handle("GET /metrics", config.Metrics)
	}
	return &front{mux: mux, log: slog.New(slog.DiscardHandler), observe: func(string, int) {}, client: peerAddress}
}

const (
	statusOK          = "ok"
	statusDegraded    = "degraded"
	statusUnavailable = "unavailable"
)

type readiness struct {
	Status string  `json:"status"`
	Checks *checks `json:"checks,omitempty"`
}

type checks struct {
	Keyring keyringCheck `json:"keyring"`
	Redis   check        `json:"redis"`
	Process check        `json:"process"`
	Log     check        `json:"log"`  // ok or losing
	Seal    check        `json:"seal"` // ok, or unsealable where secrets of vendors cannot be opened
}

type check struct {
	Status string `json:"status"`
}

type keyringCheck struct {
	Status     string  `json:"status"` // ok, stale or unloaded
	AgeSeconds float64 `json:"ageSeconds"`
}

// readiness: without a fresh keyring, or about to end, the process should get no
// requests. Without Redis it serves from memory, for now.
func (c *StatusConfig) readiness() readiness {
	stats := c.Store.Stats(c.Now())
	state := readiness{Status: statusOK, Checks: &checks{
		Keyring: keyringCheck{Status: "ok", AgeSeconds: stats.Age.Truncate(time.Millisecond).Seconds()},
		Redis:   check{Status: "ok"},
		Process: check{Status: "ok"},
		Log:     check{Status: "ok"},
		Seal:    check{Status: "ok"},
	}}
	if droplog.Losing() {
		state.Status, state.Checks.Log.Status = statusDegraded, "losing"
	}
	if stats.Unsealable > 0 {
		state.Status, state.Checks.Seal.Status = statusDegraded, "unsealable"
	}
	if !stats.RedisUp {
		state.Status, state.Checks.Redis.Status = statusDegraded, "down"
	}
	switch {
	case !stats.Loaded:
		state.Status, state.Checks.Keyring.Status = statusUnavailable, "unloaded"
	case stats.Age > c.MaxStaleness:
		state.Status, state.Checks.Keyring.Status = statusUnavailable, "stale"
	}
	if c.Draining() {
		state.Status, state.Checks.Process.Status = statusUnavailable, "draining"
	}
	return state
}

func writeStatus(w http.ResponseWriter, code int, state readiness) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", noStore)
	w.WriteHeader(code)
	// A prober that hangs up has seen enough.
	_ = json.NewEncoder(w).Encode(state)
}
