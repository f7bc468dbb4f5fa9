// Package footprint keeps what the process takes of the machine small.
package footprint

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// A request leaves about 10 kB of garbage, and next to nothing stays. With Go's default
// the collector runs each time the heap has doubled: of a small keyring that is every
// few hundred requests, and a sixth of all work. More room costs memory, so it is
// bounded: by headroom, and by the memory limit, which Caddy takes from the container
// and near which the collector runs as often as it must.
//
// The room is measured by what stays, as the keyring does. What a flood of clients holds
// for a moment would multiply: a few MiB of it made a hundred of the heap.
const (
	headroom = 64 << 20 // bytes
	minGOGC  = 100      // Go's default
	maxGOGC  = 400
	inFlight = 4 << 20 // bytes that the requests of a busy hour hold besides
	patience = 256     // cycles of the collector until what is live counts as what stays, or twice of it
)

// StartPacer sets the pace of the collector from now on.
func StartPacer() {
	if _, set := os.LookupEnv("GOGC"); set {
		return // the operator's word
	}
	new(pacer).follow()
}

// pacer sets the pace after every cycle of the collector.
type pacer struct {
	stays   uint64 // bytes
	percent int
}

// follow paces now, and again when the collector has found what nothing refers to.
func (p *pacer) follow() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if percent := p.next(live[0].Value.Uint64()); percent != p.percent {
		p.percent = percent
		debug.SetGCPercent(percent)
	}
	runtime.AddCleanup(new([64]byte), (*pacer).follow, p)
}

// next returns the percentage after a cycle that has found so many bytes live.
func (p *pacer) next(live uint64) int {
	if p.stays == 0 || live < p.stays {
		p.stays = live
	} else {
		p.stays += min(p.stays/patience+1, live-p.stays)
	}
	room := min((p.stays+inFlight)*maxGOGC/100, headroom)
	percent := int(min(max(room*100/max(live, 1), minGOGC), maxGOGC))
	return percent - percent%25 // setting it stops the world
}
