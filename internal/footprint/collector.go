// Package footprint keeps what the process takes of the machine small.
package footprint

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A request leaves about 10 kB of garbage, and next to nothing stays. With Go's default
// the collector runs each time the heap has doubled: of a small keyring that is every
// few hundred requests, and a sixth of all work. More room costs memory, so it is
// bounded: by headroom, and by the memory limit, which Caddy takes from the container
// and near which the collector runs as often as it must. A large keyring costs the
// collector little, for its slots hold no pointers: with one, too, this much is enough.
//
// The pace is set again every second: what operators' lists or a flood of connections
// hold for a while would otherwise be granted maxGOGC of its own.
const (
	headroom      = 40 << 20 // bytes
	minGOGC       = 100      // Go's default
	maxGOGC       = 400
	pacerInterval = time.Second
)

// StartPacer sets the pace of the collector from now on.
func StartPacer() {
	if _, set := os.LookupEnv("GOGC"); set {
		return // the operator's word
	}
	pace()
	go func() {
		for range time.Tick(pacerInterval) { // as long as the process lives
			pace()
		}
	}()
}

// pace lets the collector wait until the heap has grown by headroom, within bounds.
func pace() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	debug.SetGCPercent(gogc(live[0].Value.Uint64()))
}

// gogc returns the percentage for a live heap in bytes.
func gogc(live uint64) int {
	return int(min(max(headroom*100/max(live, 1), minGOGC), maxGOGC))
}
