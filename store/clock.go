package store

import (
	"time"
)

// Now returns the time by the clock of Redis, by which expiry and grace are judged.
func (s *Store) Now() time.Time { return s.clock.Now() }
