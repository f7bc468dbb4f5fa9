package keyring

import (
	"sync/atomic"
	"time"
)

// Clock tells the time. time.Now in production; tests inject their own.
type Clock func() time.Time

// ServerClock estimates the clock of Redis from the local one. Expiry and
// lastUsedAt are judged by Redis time on every sidecar, so that one sidecar with
// a wrong clock neither extends a credential nor poisons lastUsedAt.
type ServerClock struct {
	Local  Clock
	Offset atomic.Int64 // nanoseconds that Redis is ahead of the local clock
}

// Now returns the estimated time at Redis, in UTC.
func (c *ServerClock) Now() time.Time {
	return c.At(c.Local())
}

// At translates a local time to Redis time.
func (c *ServerClock) At(local time.Time) time.Time {
	return local.Add(time.Duration(c.Offset.Load())).UTC()
}

// Observe learns the offset from a Redis TIME that was asked for at sent and
// answered at received: the best estimate is the midpoint of the round trip.
func (c *ServerClock) Observe(server, sent, received time.Time) {
	midpoint := sent.Add(received.Sub(sent) / 2)
	c.Offset.Store(int64(server.Sub(midpoint.Round(0))))
}
