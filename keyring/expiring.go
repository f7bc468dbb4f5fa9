package keyring

import (
	"sync"
	"time"

	"github.com/hookgate/hookgate/credential"
)

// Horizons are the times within which a credential counts as one that expires soon, the
// nearest first.
var Horizons = [...]time.Duration{24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour}

// Expiring counts live credentials by kind, each in every one of Horizons within which it
// expires.
type Expiring map[credential.Kind][len(Horizons)]int

const (
	// countedAlways is up to how many credentials are counted whenever somebody asks. More of
	// them are counted no more often than every countedEvery: all slots have to be read.
	countedAlways = 20_000
	countedEvery  = time.Minute
)

// expiring is what was counted last.
type expiring struct {
	mu     sync.Mutex
	index  *Index
	at     time.Time
	counts Expiring
}

// Expiring returns how many credentials expire soon, at a local time or at most a minute
// before. A disabled credential counts as if it were enabled, and one that was rotated out
// not at all: its successor has the same expiry.
func (k *Keyring) Expiring(local time.Time) Expiring {
	e := &k.expiring
	e.mu.Lock()
	defer e.mu.Unlock()
	idx := k.index.Load()
	if idx == nil {
		return new(Index).countExpiring(local)
	}
	age := local.Sub(e.at)
	if e.index == nil || idx.Size() <= countedAlways || age >= countedEvery || age < 0 {
		e.index, e.at, e.counts = idx, local, idx.countExpiring(k.clock.At(local))
	}
	return e.counts
}

// countExpiring counts at a time of the server's. It locks one shard at a time, so that look-ups
// and changes wait for no longer than one takes.
func (idx *Index) countExpiring(now time.Time) Expiring {
	from := uint64(now.UnixMilli())
	var until [len(Horizons)]uint64
	for i, horizon := range Horizons {
		until[i] = uint64(now.Add(horizon).UnixMilli())
	}
	var counts [len(credential.KindCodes)][len(Horizons)]int
	for i := range idx.shards {
		s := &idx.shards[i]
		s.mu.RLock()
		for j := range s.slots {
			e := &s.slots[j]
			if e.identity == 0 {
				continue
			}
			ends := e.expiresAt.value()
			if ends <= from || ends > until[len(until)-1] { // 0 is never
				continue
			}
			identity := idx.identityOf(*e)
			if identity.InGrace {
				continue
			}
			kind := credential.KindCode(identity.Kind)
			for h := range until {
				if ends <= until[h] {
					counts[kind][h]++
				}
			}
		}
		s.mu.RUnlock()
	}
	byKind := make(Expiring, len(counts))
	for i, n := range counts {
		byKind[credential.KindCodes[i]] = n
	}
	return byKind
}
