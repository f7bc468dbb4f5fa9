package store

import (
	"sync/atomic"
	"time"
)

// Clock tells the time. time.Now in production; tests inject their own.
type Clock func() time.Time

// serverClock estimates the clock of Redis from the local one. Expiry and
// lastUsedAt are judged by Redis time on every sidecar, so that one sidecar with
// a wrong clock neither extends a credential nor poisons lastUsedAt.
type serverClock struct {
	local  Clock
	offset atomic.Int64 // nanoseconds that Redis is ahead of the local clock
}

// now returns the estimated time at Redis, in UTC.
func (c *serverClock) now() time.Time {
	return c.at(c.local())
}

// at translates a local time to Redis time.
func (c *serverClock) at(local time.Time) time.Time {
	return local.Add(time.Duration(c.offset.Load())).UTC()
}

// Now returns the time by the clock of Redis, by which expiry and grace are judged.
func (s *Store) Now() time.Time { return s.clock.now() }

// observe learns the offset from a Redis TIME that was asked for at sent and
// answered at received: the best estimate is the midpoint of the round trip.
func (c *serverClock) observe(server, sent, received time.Time) {
	midpoint := sent.Add(received.Sub(sent) / 2)
	c.offset.Store(int64(server.Sub(midpoint.Round(0))))
}
