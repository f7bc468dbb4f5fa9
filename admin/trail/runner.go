package trail

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookgate/hookgate/store"
)

const (
	pollEvery    = time.Second     // how often a sink looks for entries
	standbyEvery = 5 * time.Second // how often a process looks whether it is to send
	leaseTime    = 15 * time.Second
	minBackoff   = time.Second
	maxBackoff   = time.Minute

	maxEntries = 100       // of a batch
	maxBatch   = 512 << 10 // bytes of a batch, about
)

// sink is where lines go to.
type sink interface {
	// open makes ready. It returns errElsewhere where another process sends to the sink.
	open(context.Context) error
	// idle is called before every look for entries, and tells how far the sink is.
	idle(context.Context) (place, error)
	// send sends a batch, and keeps how far the sink is then. After an error the sink is
	// closed, and opened again.
	send(context.Context, batch) error
	// limit is how long a line may be; 0 for any length.
	limit() int
	close()
}

// errElsewhere: another process sends to the sink.
var errElsewhere = errors.New("another process sends to it")

// Runner sends the entries of the audit log to a sink, whatever becomes of that. One process
// sends at a time; after a crash the next goes on where it was.
type Runner struct {
	name  string // as metrics and logs have it
	key   string // the same for runners that must not send at once
	store *store.Store
	sink  sink
	log   *slog.Logger
	now   func() time.Time

	poll, standby, backoff time.Duration

	sent, failed, lost atomic.Uint64
	oldest             atomic.Int64 // the time of the oldest entry that is not sent, in ms; 0 for none
	broken             atomic.Bool  // the last try failed
}

// Run sends until the context ends.
func (r *Runner) Run(ctx context.Context) {
	backoff := r.backoff
	for ctx.Err() == nil {
		sent := r.sent.Load()
		err := r.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errElsewhere) || errors.Is(err, store.ErrSinkLost) {
			r.oldest.Store(0)
			r.broken.Store(false)
			wait(ctx, r.standby)
			continue
		}
		if sent != r.sent.Load() {
			backoff = r.backoff
		}
		r.failed.Add(1)
		if !r.broken.Swap(true) {
			r.log.Warn("the audit log does not get to a sink; it is tried again", slog.String("sink", r.name), slog.Any("error", err))
		}
		wait(ctx, backoff/2+rand.N(backoff/2+1))
		backoff = min(2*backoff, maxBackoff)
	}
}

// follow sends until something fails.
func (r *Runner) follow(ctx context.Context) error {
	release, err := alone(ctx, r.key)
	if err != nil {
		return err
	}
	defer release()
	defer r.sink.close()
	if err := r.sink.open(ctx); err != nil {
		return err
	}
	for {
		from, err := r.sink.idle(ctx)
		if err != nil {
			return err
		}
		entries, err := r.store.Outbox(ctx, from.OutboxPosition, maxEntries)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			r.oldest.Store(0) // everything is sent
			r.works()
			if err := wait(ctx, r.poll); err != nil {
				return err
			}
			continue
		}
		for i := range entries {
			if !entries[i].At.IsZero() {
				r.oldest.Store(entries[i].At.UnixMilli())
				break
			}
		}
		b, err := batchOf(from, entries, r.sink.limit())
		if err == nil {
			err = r.sink.send(ctx, b)
		}
		if err != nil {
			return err
		}
		r.sent.Add(uint64(len(b.lines)))
		if b.next.OutboxPosition == entries[len(entries)-1].OutboxPosition {
			r.oldest.Store(0) // as far as is known
		}
		if b.lost > 0 {
			r.lost.Add(b.lost)
			r.log.Error("entries of the audit log were gone before they got to a sink", slog.String("sink", r.name), slog.Uint64("entries", b.lost))
		}
		r.works()
	}
}

// works notes that the sink can be used.
func (r *Runner) works() {
	if r.broken.Swap(false) {
		r.log.Info("the audit log gets to a sink again", slog.String("sink", r.name))
	}
}

// State is how a sink does.
type State struct {
	Name               string
	Sent, Failed, Lost uint64
	// Lag is how old the oldest entry is that has not been sent; zero where all are, or
	// another process sends.
	Lag time.Duration
}

// State returns how the sink does.
func (r *Runner) State() State {
	s := State{Name: r.name, Sent: r.sent.Load(), Failed: r.failed.Load(), Lost: r.lost.Load()}
	if oldest := r.oldest.Load(); oldest != 0 {
		s.Lag = max(r.now().Sub(time.UnixMilli(oldest)), 0)
	}
	return s
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// senders are the sinks that somebody in this process sends to. After a reload the old
// configuration and the new one may have the same.
var senders = struct {
	sync.Mutex
	of map[string]chan struct{}
}{of: make(map[string]chan struct{})}

// alone waits until nobody else in the process sends to a sink.
func alone(ctx context.Context, key string) (release func(), err error) {
	senders.Lock()
	place := senders.of[key]
	if place == nil {
		place = make(chan struct{}, 1)
		senders.of[key] = place
	}
	senders.Unlock()
	select {
	case place <- struct{}{}:
		return func() { <-place }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
