// Package propagation measures how long a revocation takes to every sidecar.
package propagation

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

const (
	channel  = "revocations"
	patience = 30 * time.Second
)

// BenchmarkPropagation reports the time from the acknowledgement of a revocation until
// the last of n sidecars refuses the token; and on the same server, in turn with it, from
// the reply to a PUBLISH until the last of n subscribers has the message. Both are
// watched in the same way: by a loop that looks until all have it.
func BenchmarkPropagation(b *testing.B) {
	for _, n := range []int{1, 10, 50} {
		b.Run(fmt.Sprintf("sidecars=%d", n), func(b *testing.B) {
			server := redistest.Start(b)
			sidecars := openSidecars(b, server, n)
			received := subscribe(b, server, n)
			credentials, digests := mint(b, sidecars, b.N)
			publisher := server.Client()
			ctx := context.Background()
			revoked, published := make([]time.Duration, b.N), make([]time.Duration, b.N)
			b.ResetTimer()
			for i := range b.N {
				c := credentials[i]
				if err := sidecars[0].Revoke(ctx, store.Ref{Tenant: c.Tenant, Kind: c.Kind, ID: c.ID}); err != nil {
					b.Fatal(err)
				}
				revoked[i] = until(b, n, func(sidecar int) bool {
					_, standing := sidecars[sidecar].Keyring().Lookup(digests[i])
					return standing != keyring.Live
				})
				if err := publisher.Publish(ctx, channel, i+1).Err(); err != nil {
					b.Fatal(err)
				}
				published[i] = until(b, n, func(subscriber int) bool { return received[subscriber].Load() == int64(i+1) })
			}
			b.StopTimer()
			for name, samples := range map[string][]time.Duration{"ledger": revoked, "pubsub": published} {
				slices.Sort(samples)
				b.ReportMetric(milliseconds(samples[len(samples)/2]), name+"-p50-ms")
				b.ReportMetric(milliseconds(samples[len(samples)*99/100]), name+"-p99-ms")
			}
		})
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// until returns how long it takes until the condition holds for all of n.
func until(b *testing.B, n int, holds func(int) bool) time.Duration {
	b.Helper()
	began := time.Now()
	for i := 0; i < n; {
		if holds(i) {
			i++
			continue
		}
		if time.Since(began) > patience {
			b.Fatalf("number %d does not follow", i)
		}
		// A loop that never sleeps would keep the runtime from looking at the network.
		time.Sleep(20 * time.Microsecond)
	}
	return time.Since(began)
}

func openSidecars(b *testing.B, server *redistest.Server, n int) []*store.Store {
	b.Helper()
	sidecars := make([]*store.Store, n)
	for i := range sidecars {
		s, err := store.New(store.Config{Redis: redisconn.Server{URLs: []string{server.URL()}}, Namespace: "hookgate"})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { s.Destruct() })
		if err := s.Start(store.Tuning{}); err != nil {
			b.Fatal(err)
		}
		sidecars[i] = s
	}
	await(b, func() bool {
		return !slices.ContainsFunc(sidecars, func(s *store.Store) bool { return !s.Stats(time.Now()).Loaded })
	})
	return sidecars
}

// mint makes credentials, and returns when every sidecar knows them.
func mint(b *testing.B, sidecars []*store.Store, n int) ([]credential.Credential, []credential.Digest) {
	b.Helper()
	credentials, digests := make([]credential.Credential, n), make([]credential.Digest, n)
	for i := range n {
		c, token, err := sidecars[0].Mint(context.Background(), credential.Spec{Tenant: uuid.New(), Kind: credential.KindCallback})
		if err != nil {
			b.Fatal(err)
		}
		credentials[i], digests[i] = c, credential.DigestToken(token)
	}
	await(b, func() bool {
		return !slices.ContainsFunc(sidecars, func(s *store.Store) bool { return s.Keyring().Count(credential.KindCallback) != n })
	})
	return credentials, digests
}

// subscribe starts subscribers, each with the newest message that it has received.
func subscribe(b *testing.B, server *redistest.Server, n int) []*atomic.Int64 {
	b.Helper()
	received := make([]*atomic.Int64, n)
	for i := range received {
		newest := new(atomic.Int64)
		received[i] = newest
		subscription := server.Client().Subscribe(context.Background(), channel)
		b.Cleanup(func() { subscription.Close() })
		if _, err := subscription.Receive(context.Background()); err != nil {
			b.Fatal(err)
		}
		go follow(subscription, newest)
	}
	return received
}

// follow ends with the subscription.
func follow(subscription *redis.PubSub, newest *atomic.Int64) {
	for {
		message, err := subscription.ReceiveMessage(context.Background())
		if err != nil {
			return
		}
		if number, err := strconv.ParseInt(message.Payload, 10, 64); err == nil {
			newest.Store(number)
		}
	}
}

func await(b *testing.B, holds func() bool) {
	b.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("not ready in %v", patience)
		}
	}
}
