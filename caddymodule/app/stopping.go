package app

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

var (
	// stopping: the process has been told to end.
	stopping atomic.Bool
	// stopLimit is how long that may take, in ns; negative: any time.
	stopLimit atomic.Int64
)

// expectStop takes from the servers of a configuration how long they need to stop.
func expectStop(servers *caddyhttp.App) {
	limit := time.Duration(-1)
	if servers.GracePeriod > 0 {
		limit = time.Duration(servers.ShutdownDelay) + time.Duration(servers.GracePeriod)
	}
	stopLimit.Store(int64(limit))
}

var errStopping = errors.New("hookgate: the process is about to end, and loads no configuration any more")

// readyToLoad: a reload that waits for its turn while the process is to end would hold
// that up for another grace_period.
func readyToLoad() error {
	if stopping.Load() {
		return errStopping
	}
	return nil
}
