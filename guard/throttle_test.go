package guard

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestThrottle(t *testing.T) {
	const limit = 5
	client := netip.MustParseAddr("192.0.2.1")
	throttle := NewThrottle(limit, time.Minute, now)
	fail := func(at time.Duration) time.Duration { return throttle.Fail(client, now.Add(at)) }

	for n := range limit {
		if wait := fail(0); wait != 0 {
			t.Fatalf("failure %d has to wait %s", n+1, wait)
		}
	}
	if wait := fail(0); wait != 12*time.Second {
		t.Errorf("one too many has to wait %s", wait)
	}
	if wait := fail(0); wait != 12*time.Second {
		t.Errorf("a throttled failure counts itself: %s", wait)
	}
	if wait := fail(11*time.Second + 999*time.Millisecond); wait != time.Millisecond {
		t.Errorf("just too early: %s", wait)
	}
	if wait := fail(12 * time.Second); wait != 0 {
		t.Errorf("who waited as told still has to: %s", wait)
	}
	if wait := fail(12 * time.Second); wait != 12*time.Second {
		t.Errorf("waiting gave more than one failure: %s", wait)
	}
	for n := range limit { // everything is forgotten
		if wait := fail(10 * time.Minute); wait != 0 {
			t.Errorf("failure %d after a pause has to wait %s", n+1, wait)
		}
	}
}

func TestThrottleIsPerAddress(t *testing.T) {
	throttle := NewThrottle(1, time.Minute, now)
	throttled := func(client string) bool { return throttle.Fail(netip.MustParseAddr(client), now) > 0 }
	for _, tc := range []struct {
		client string
		want   bool
	}{
		{"192.0.2.1", false}, {"192.0.2.1", true}, {"192.0.2.2", false}, {"::ffff:192.0.2.1", true},
		{"2001:db8:0:1::1", false}, {"2001:db8:0:1::2", true}, {"2001:db8:0:1:ffff:ffff:ffff:ffff", true}, {"2001:db8:0:2::1", false},
		// The first 64 bits of this one are the number that 192.0.2.1 is.
		{"::c000:201:0:0:0:1", false},
	} {
		if got := throttled(tc.client); got != tc.want {
			t.Errorf("%s: throttled %v", tc.client, got)
		}
	}
}

func TestUnknownClientIsNotThrottled(t *testing.T) {
	throttle := NewThrottle(1, time.Minute, now)
	for range 10 {
		if wait := throttle.Fail(netip.Addr{}, now); wait != 0 {
			t.Fatalf("has to wait %s", wait)
		}
	}
}

func TestThrottleWhenTheClockIsSetBack(t *testing.T) {
	throttle := NewThrottle(2, time.Minute, now)
	client := netip.MustParseAddr("192.0.2.1")
	throttle.Fail(client, now.Add(24*time.Hour))
	throttle.Fail(client, now.Add(24*time.Hour))
	if wait := throttle.Fail(client, now); wait > time.Minute {
		t.Errorf("has to wait %s", wait)
	}
}

func numbered(n int) netip.Addr {
	var v4 [4]byte
	binary.BigEndian.PutUint32(v4[:], uint32(n))
	return netip.AddrFrom4(v4)
}

func (t *Throttle) clients() (n, most int) {
	for i := range t.shards {
		n += t.shards[i].forgotten.Len()
		most = max(most, t.shards[i].forgotten.Len())
	}
	return n, most
}

func TestThrottleMemoryIsBounded(t *testing.T) {
	throttle := NewThrottle(1, time.Minute, now)
	for n := range 2 * maxClients {
		throttle.Fail(numbered(n), now)
	}
	if n, most := throttle.clients(); n > maxClients || most > shardClients {
		t.Errorf("%d clients, %d in one shard", n, most)
	}
}

// TestThrottleForgetsTheExpiredFirst: an attacker with fresh addresses cannot push
// out one that is throttled while there are others to forget.
func TestThrottleForgetsTheExpiredFirst(t *testing.T) {
	throttle := NewThrottle(1, time.Minute, now)
	for n := range 2 * maxClients {
		throttle.Fail(numbered(n), now)
	}
	later := now.Add(2 * time.Minute)
	guilty := netip.MustParseAddr("2001:db8::1")
	throttle.Fail(guilty, later)
	for n := range maxClients / 4 { // all of them fit in place of the expired
		throttle.Fail(numbered(n), later)
	}
	if throttle.Fail(guilty, later) == 0 {
		t.Error("the throttled address was forgotten")
	}
}

func TestThrottleConcurrently(t *testing.T) {
	const limit = 100
	throttle := NewThrottle(limit, time.Hour, now)
	client := netip.MustParseAddr("192.0.2.1")
	var passed atomic.Int64
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			for range limit {
				if throttle.Fail(client, now) == 0 {
					passed.Add(1)
				}
			}
		})
	}
	done.Wait()
	if passed.Load() != limit {
		t.Errorf("%d failures passed, want %d", passed.Load(), limit)
	}
}

// FuzzThrottle compares with the definition: in no window are there more failures
// than the limit plus what flows back during it, and who waits as told passes.
func FuzzThrottle(f *testing.F) {
	f.Add(uint8(3), uint32(1000), []byte{0, 0, 0, 0, 10, 200})
	f.Add(uint8(1), uint32(1), []byte{255, 1, 0})
	f.Fuzz(func(t *testing.T, limit uint8, windowMillis uint32, gaps []byte) {
		n, window := int(limit)+1, time.Duration(windowMillis+1)*time.Millisecond
		throttle := NewThrottle(n, window, now)
		client := netip.MustParseAddr("192.0.2.1")
		at, passed := now, 0
		for _, gap := range gaps {
			at = at.Add(window * time.Duration(gap) / 256)
			wait := throttle.Fail(client, at)
			if wait == 0 {
				passed++
				if most := n + int(at.Sub(now)/(window/time.Duration(n))) + 1; passed > most {
					t.Fatalf("%d failures passed in %s, at most %d should", passed, at.Sub(now), most)
				}
				continue
			}
			if wait < 0 || wait > window {
				t.Fatalf("has to wait %s of a window of %s", wait, window)
			}
			at = at.Add(wait)
			if again := throttle.Fail(client, at); again != 0 {
				t.Fatalf("waited %s as told and has to wait %s more", wait, again)
			}
			passed++
		}
	})
}
