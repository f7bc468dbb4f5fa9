package handlers

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/guard"
)

const (
	defaultFailures      = 60
	defaultFailureWindow = caddy.Duration(time.Minute)

	maxFailures      = 100_000
	minFailureWindow = caddy.Duration(time.Second)
	maxFailureWindow = caddy.Duration(24 * time.Hour)
)

// FailureLimit bounds how often a client address, or the /64 of an IPv6 address,
// may be refused with 401 in any window. What comes beyond that is 429. A live
// credential always passes.
type FailureLimit struct {
	Off      bool           `json:"off,omitempty"`
	Failures int            `json:"failures,omitempty"`
	Window   caddy.Duration `json:"window,omitempty"`
}

// throttles holds the throttles in use, by their setting. Guards with the same one
// count together, since it is one client that fails at all of them; and a reload
// that does not change it forgets no failures, or reloading would let a client
// start over.
var throttles = caddy.NewUsagePool()

// pooledThrottle is a throttle in the pool, with nothing to close.
type pooledThrottle struct{ *guard.Throttle }

// Destruct implements caddy.Destructor.
func (pooledThrottle) Destruct() error { return nil }

func (g *Guard) provisionThrottle() error {
	if g.FailureLimit == nil {
		g.FailureLimit = &FailureLimit{Failures: defaultFailures, Window: defaultFailureWindow}
	}
	limit := g.FailureLimit
	if limit.Off {
		if limit.Failures != 0 || limit.Window != 0 {
			return errors.New("hookgate: failure_limit is off and given")
		}
		return nil
	}
	if limit.Failures < 1 || limit.Failures > maxFailures {
		return fmt.Errorf("hookgate: failure_limit must be between 1 and %d", maxFailures)
	}
	if err := grammar.Within("failure_limit", limit.Window, minFailureWindow, maxFailureWindow); err != nil {
		return err
	}
	key := fmt.Sprintf("%d in %s", limit.Failures, time.Duration(limit.Window))
	pooled, _, err := throttles.LoadOrNew(key, func() (caddy.Destructor, error) {
		return pooledThrottle{guard.NewThrottle(limit.Failures, time.Duration(limit.Window), time.Now())}, nil
	})
	if err != nil {
		return err
	}
	g.throttleKey, g.policy.Throttle = key, pooled.(pooledThrottle).Throttle
	return nil
}

// releaseThrottle gives up our reference, if Provision came as far as taking one.
func (g *Guard) releaseThrottle() error {
	if g.throttleKey == "" {
		return nil
	}
	_, err := throttles.Delete(g.throttleKey)
	return err
}

// parseFailureLimit parses `failure_limit <n> <window>` and `failure_limit off`.
func parseFailureLimit(d *caddyfile.Dispenser) (*FailureLimit, error) {
	args := d.RemainingArgs()
	if len(args) == 1 && args[0] == "off" {
		return &FailureLimit{Off: true}, nil
	}
	if len(args) != 2 {
		return nil, grammar.ArgErr(d, "failure_limit")
	}
	failures, err := strconv.Atoi(args[0])
	if err != nil || failures < 1 {
		return nil, d.Errf("%q is not a number of failures", args[0])
	}
	window, err := grammar.ParseDuration(d, args[1])
	return &FailureLimit{Failures: failures, Window: window}, err
}
