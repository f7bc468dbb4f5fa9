package store

import (
	"sync"
	"sync/atomic"
)

// latest holds a time for each key, which never goes back. Whoever raises one that is there
// holds the lock of readers alone: all requests of one vendor meet here, and one that locks
// out the others while it waits for a processor would hold them up.
type latest[K comparable] struct {
	mu   sync.RWMutex
	at   map[K]*atomic.Int64 // ms, in Redis time
	most int                 // that were in at since it was made
}

// raise notes a time of a key.
func (l *latest[K]) raise(key K, ms int64) {
	l.mu.RLock()
	last, ok := l.at[key]
	if ok {
		raiseTo(last, ms)
	}
	l.mu.RUnlock()
	if ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at == nil {
		l.at = make(map[K]*atomic.Int64)
	}
	if l.at[key] == nil {
		l.at[key] = new(atomic.Int64)
		l.most = max(l.most, len(l.at))
	}
	raiseTo(l.at[key], ms)
}

func raiseTo(last *atomic.Int64, ms int64) {
	for {
		old := last.Load()
		if old >= ms || last.CompareAndSwap(old, ms) {
			return
		}
	}
}

// all calls yield with every key and its time.
func (l *latest[K]) all(yield func(key K, ms int64) bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for key, last := range l.at {
		if !yield(key, last.Load()) {
			return
		}
	}
}

// get returns the time of a key.
func (l *latest[K]) get(key K) (ms int64, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	last, ok := l.at[key]
	if !ok {
		return 0, false
	}
	return last.Load(), true
}

// size returns how many keys there are.
func (l *latest[K]) size() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.at)
}

// settle forgets a time that has been written, unless a later one came meanwhile. An empty map
// that was large is left to the collector, for a map does not shrink.
func (l *latest[K]) settle(key K, written int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, ok := l.at[key]; ok && last.Load() == written {
		delete(l.at, key)
		if len(l.at) == 0 && l.most > largeLatest {
			l.at, l.most = nil, 0
		}
	}
}

// largeLatest is how many keys make a map large.
const largeLatest = 64

// take returns all times, and forgets them.
func (l *latest[K]) take() map[K]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := make(map[K]int64, len(l.at))
	for key, last := range l.at {
		taken[key] = last.Load()
	}
	l.at, l.most = nil, 0
	return taken
}
