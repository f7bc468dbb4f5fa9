package store

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential/credentialtest"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// BenchmarkClaim claims an event and notes it as done, one after the other and 32 at a
// time, as the clients of `make bench` send them: an event with one name, and one with two,
// which takes a script. Beside the time it reports that of the processor, here and of Redis.
func BenchmarkClaim(b *testing.B) {
	server := redistest.Start(b)
	s := open(b, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}})
	rdb := server.Client()
	var sent, late atomic.Int64
	deliver := func(names int) {
		name := strconv.FormatInt(sent.Add(1), 10)
		claim, state, _, err := s.ClaimEvent(context.Background(), credentialtest.ID(1), []string{"msg_" + name, "v1," + name}[:names], time.Minute)
		if err == nil && state == EventNew {
			err = claim.Done(context.Background(), 200)
		}
		switch {
		case errors.Is(err, ErrUnavailable): // not in time, on a machine that is busy
			late.Add(1)
		case err != nil || state != EventNew:
			b.Errorf("%d, %v", state, err)
		}
	}
	for _, bench := range []struct {
		name           string
		names, clients int
	}{{"one/serial", 1, 1}, {"one/32", 1, 32}, {"two/serial", 2, 1}, {"two/32", 2, 32}} {
		b.Run(bench.name, func(b *testing.B) {
			rdb.FlushAll(b.Context())
			b.ReportAllocs()
			ours, redis := ownProcessorTime(b), processorTime(b, rdb)
			late.Store(0)
			b.ResetTimer()
			var left atomic.Int64
			left.Store(int64(b.N))
			var clients sync.WaitGroup
			for range bench.clients {
				clients.Go(func() {
					for left.Add(-1) >= 0 {
						deliver(bench.names)
					}
				})
			}
			clients.Wait()
			b.StopTimer()
			if n := late.Load(); n > int64(b.N)/100 {
				b.Errorf("%d of %d had no answer in time", n, b.N)
			}
			each := func(spent time.Duration) float64 { return float64(spent.Nanoseconds()) / 1e3 / float64(b.N) }
			b.ReportMetric(each(ownProcessorTime(b)-ours), "own-cpu-µs/op")
			b.ReportMetric(each(processorTime(b, rdb)-redis), "redis-cpu-µs/op")
		})
	}
}

// ownProcessorTime returns how long this process has computed, in both modes.
func ownProcessorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
