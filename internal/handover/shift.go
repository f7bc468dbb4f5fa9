package handover

import (
	"context"
	"sync"
	"time"
)

// retirement is how long a reload waits for requests under way before the old servers
// are shut down. A request that takes longer gets its answer all the same, with
// "Connection: close".
const retirement = time.Second

// Shift has the listeners of one configuration. They take over when the whole
// configuration has started, and retire when another one has.
type Shift struct {
	mu        sync.Mutex
	known     bool
	listeners []*Listener
}

// Enter reports whether the shift is asked for the first time.
func (s *Shift) Enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.known
	s.known = true
	return first
}

func (s *Shift) Add(l *Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, l)
}

func (s *Shift) Begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		l.TakeOver()
	}
}

func (s *Shift) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), retirement)
	defer cancel()
	var retiring sync.WaitGroup
	for _, l := range s.listeners {
		retiring.Go(func() { l.Retire(ctx) })
	}
	retiring.Wait()
}
