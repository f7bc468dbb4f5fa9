//go:build unix

package app

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
)

// Caddy reads all its signals from one channel with room for a single one, and reloads
// where it reads them: a reload waits for the requests of the servers before, for as long
// as grace_period says. So a SIGTERM behind a reload waits for all of it, and one behind
// two is lost. Here SIGUSR1 is taken out of that channel, and SIGTERM is watched over.

// takeSignals begins once: when the first configuration starts. By then Caddy's command
// has set its own handlers up.
var takeSignals = sync.OnceFunc(func() {
	reload := make(chan os.Signal, 1)
	signal.Ignore(syscall.SIGUSR1) // takes it from Caddy; without a handler it would end the process
	signal.Notify(reload, syscall.SIGUSR1)
	go func() {
		for range reload {
			reloadLast()
		}
	}()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		<-stop
		signal.Stop(stop)
		endInTime()
	}()
})

const (
	// askAgain is how often SIGTERM is sent on to Caddy until it has begun to stop.
	askAgain = 100 * time.Millisecond
	// cleanUp is how long what comes after the last request may take: usage is written.
	cleanUp = 2 * time.Second
)

// endInTime ends the process within shutdown_delay and grace_period, be the time up to
// where Caddy begins to stop spent on a reload, on a log, or on anything else.
func endInTime() {
	stopping.Store(true)
	limit := time.Duration(stopLimit.Load())
	var over <-chan time.Time // never
	if limit >= 0 {
		over = time.After(limit + cleanUp)
	}
	for !caddy.Exiting() {
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
		select {
		case <-over:
			forceEnd(limit)
		case <-time.After(askAgain):
		}
	}
	<-over
	forceEnd(limit)
}

// forceEnd ends the process, whatever still runs.
func forceEnd(limit time.Duration) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		caddy.Log().Warn("ending before all requests have: shutdown_delay and grace_period are over", zap.Duration("limit", limit))
		stores.Range(func(_, s any) bool {
			s.(caddy.Destructor).Destruct()
			return true
		})
	}()
	select {
	case <-closed:
	case <-time.After(cleanUp / 2):
	}
	os.Exit(caddy.ExitCodeSuccess)
}
