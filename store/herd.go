package store

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hookgate/hookgate/keyring"
)

const (
	// countInterval is how often a sidecar says that it is there.
	countInterval = 10 * time.Minute
	// herdSize is from how many sidecars on one of them reads the buckets for all.
	herdSize = 8
	// copyBehind is how many changes a copy may be behind: more to replay than that, and
	// a new one is as quick.
	copyBehind = 5000

	// minSpread spreads the snapshots of few sidecars, which is also how many are
	// assumed until it is known better.
	minSpread = time.Second
	// What Redis has to do for a sidecar that reads a copy, twice over.
	copyCost, copyCostOfCredential = 2 * time.Millisecond, 40 * time.Nanosecond
)

// herd is what this sidecar knows of the others on the same data set.
type herd struct {
	id      string       // of this one, as long as it runs
	size    atomic.Int64 // how many there are
	loaded  chan struct{}
	useless string // a copy that could not be used
}

func newHerd() *herd { return &herd{id: randomHex()[:12], loaded: make(chan struct{})} }

// herdReply is an answer of lua/herd.lua.
type herdReply struct {
	word   string
	fields []string
}

// askHerd tells the others of this sidecar and learns how many there are, and how to come
// to a snapshot. All of that only saves work; where it fails, each does it alone.
func (f *follower) askHerd(ctx context.Context, b *backend, what string, args ...any) (herdReply, error) {
	keys := f.store.keys
	reply, err := b.scripts.Run(ctx, herdScript, 0, []string{keys.meta(), keys.sidecars(), keys.copy()},
		append([]any{f.herd.id, what}, args...))
	if err != nil {
		return herdReply{}, err
	}
	list, ok := reply.([]any)
	if !ok || len(list) != 3 {
		return herdReply{}, fmt.Errorf("%w: an unexpected answer", ErrUnavailable)
	}
	size, _ := list[0].(int64)
	f.herd.size.Store(size)
	r := herdReply{}
	r.word, _ = list[1].(string)
	fields, _ := list[2].([]any)
	for _, field := range fields {
		text, _ := field.(string)
		r.fields = append(r.fields, text)
	}
	return r, nil
}

// beCounted says every now and then that this sidecar is there, once it has a keyring.
func (f *follower) beCounted(ctx context.Context, b *backend) {
	if !b.shared {
		return
	}
	select {
	case <-ctx.Done():
		return
	case <-f.herd.loaded:
	}
	for {
		if _, err := f.askHerd(ctx, b, "seen"); err != nil && ctx.Err() == nil {
			f.store.log().Debug("could not say that this process is there", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(countInterval*9/10 + f.jitter(countInterval/5)):
		}
	}
}

// spread draws how long to wait before a snapshot. A failover sends every sidecar here at
// once: the more there are, the longer, as far as the old keyring serves meanwhile.
func (f *follower) spread() time.Duration {
	credentials := time.Duration(f.store.keyring.Size())
	all := time.Duration(f.herd.size.Load()) * (copyCost + credentials*copyCostOfCredential)
	return f.jitter(min(max(all, minSpread), f.store.tuning.Load().MaxStaleness/4))
}

// turn finds out how this sidecar comes to a snapshot: from the copy that it puts into s,
// or from the buckets; and whether it then makes a copy, whose id is s.lead.
func (f *follower) turn(ctx context.Context, b *backend, s *snapshot) error {
	if !b.shared {
		return nil
	}
	waitUntil := time.Now().Add(max(minSpread, f.store.tuning.Load().MaxStaleness/3))
	for {
		mine := randomHex()[:12]
		reply, err := f.askHerd(ctx, b, "read", keyring.CopyFormat, herdSize, copyBehind, f.herd.useless, mine)
		if err != nil {
			f.store.log().Debug("reading the credentials without the other processes", "error", err)
			return ctx.Err()
		}
		switch reply.word {
		case "copy":
			if s.useCopy(reply.fields) == nil {
				return nil
			}
			if f.herd.useless == reply.fields[0] {
				return nil
			}
			f.herd.useless = reply.fields[0]
			continue
		case "lead":
			s.lead, s.held = mine, time.Now()
			return nil
		case "wait":
			if time.Now().Before(waitUntil) {
				break
			}
			fallthrough
		default:
			return nil
		}
		if err := sleep(ctx, 100*time.Millisecond+f.jitter(time.Duration(f.herd.size.Load())*time.Millisecond/2)); err != nil {
			return err
		}
	}
}

// sleep ends early, with an error, when ctx does.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
