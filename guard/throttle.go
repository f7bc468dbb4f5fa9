package guard

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// maxClients bounds the addresses that are remembered: about 8 MiB. Who has more
	// addresses than that to guess from is not slowed down by counting them.
	maxClients     = 1 << 16
	throttleShards = 1 << 8
	shardClients   = maxClients / throttleShards
)

// Throttle limits how often one client address is told that its credential is
// refused. It answers only for failures, so nobody is ever locked out with a live
// credential, not even behind an address shared with an attacker. Safe for
// concurrent use.
//
// It is the generic cell rate algorithm: of each address one number is kept, when
// its failures so far will be forgotten. A failure moves that by window/limit; a
// failure that would move it beyond one window from now is one too many, and does
// not count itself.
type Throttle struct {
	step, window int64 // ns
	start        time.Time
	seed         maphash.Seed // an attacker cannot choose addresses of one shard
	shards       [throttleShards]throttleShard
}

type throttleShard struct {
	mu sync.Mutex
	// forgotten says when the failures of a client are, in ns since start. The client that
	// has not failed for the longest time makes room for a new one, so that fresh addresses
	// push out those that are forgotten before one that goes on failing.
	forgotten *simplelru.LRU[clientKey, int64]
}

// clientKey is an IPv4 address, or the /64 of an IPv6 address: that is the least
// that one customer gets, and a single host can use all of it.
type clientKey struct {
	bits uint64
	v6   bool
}

// NewThrottle returns a throttle that lets limit failures of an address pass in any
// window, counting from start.
func NewThrottle(limit int, window time.Duration, start time.Time) *Throttle {
	step := max(1, int64(window)/int64(limit))
	t := &Throttle{step: step, window: step * int64(limit), start: start, seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].forgotten, _ = simplelru.NewLRU[clientKey, int64](shardClients, nil) // it fails on a size of 0
	}
	return t
}

// Fail notes a failure of client at the local time now. It returns how long the
// client has to wait if it failed too often, and otherwise 0. An unknown client is
// not counted: all of them would share one bucket.
func (t *Throttle) Fail(client netip.Addr, now time.Time) time.Duration {
	if !client.IsValid() {
		return 0
	}
	key := newClientKey(client)
	at := int64(now.Sub(t.start))
	s := &t.shards[maphash.Comparable(t.seed, key)%throttleShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	forgotten, _ := s.forgotten.Get(key)
	// Never further away than a window, should the clock have been set back.
	forgotten = min(max(forgotten, at), at+t.window)
	next := forgotten + t.step
	if next > at+t.window {
		return time.Duration(next - t.window - at)
	}
	s.forgotten.Add(key, next)
	return 0
}

func newClientKey(client netip.Addr) clientKey {
	if client = client.Unmap(); client.Is4() {
		v4 := client.As4()
		return clientKey{bits: uint64(binary.BigEndian.Uint32(v4[:]))}
	}
	v6 := client.As16()
	return clientKey{bits: binary.BigEndian.Uint64(v6[:8]), v6: true}
}
