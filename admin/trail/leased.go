package trail

import (
	"context"
	"errors"
	"time"

	"github.com/hookgate/hookgate/internal/auditchain"
	"github.com/hookgate/hookgate/store"
)

// transport is a way to a server that takes lines.
type transport interface {
	// push sends lines, and returns once the server has them, as far as its protocol tells.
	push(ctx context.Context, lines [][]byte, at time.Time) error
	// idle is called before every look for entries.
	idle(ctx context.Context, at time.Time) error
	// limit is how long a line may be; 0 for any length.
	limit() int
	close()
}

// leasedSink sends to a server. How far it is stands in the data set, where the process that
// sends holds a lease.
type leasedSink struct {
	transport
	store   *store.Store
	name    string // in the data set
	process string
	lease   time.Duration
	now     func() time.Time
	last    place
	renew   time.Time // when the lease is to be taken anew; zero while it is not held
}

// open implements sink.
func (s *leasedSink) open(ctx context.Context) error {
	kept, err := s.hold(ctx)
	if err == nil {
		s.last = place{auditchain.Head{Seq: kept.Seq, Hash: kept.Hash}, kept.OutboxPosition}
	}
	return err
}

// hold takes the lease, anew where this process has it. What is kept is then no news: only a
// Redis that has lost it says something else.
func (s *leasedSink) hold(ctx context.Context) (store.SinkPlace, error) {
	renew := s.now().Add(s.lease / 3)
	kept, err := s.store.HoldSink(ctx, s.name, s.process, s.lease)
	if errors.Is(err, store.ErrSinkHeld) {
		err = errElsewhere
	}
	if err == nil {
		s.renew = renew
	}
	return kept, err
}

// idle implements sink.
func (s *leasedSink) idle(ctx context.Context) (place, error) {
	var err error
	if !s.now().Before(s.renew) {
		_, err = s.hold(ctx)
	}
	if err == nil {
		err = s.transport.idle(ctx, s.now())
	}
	return s.last, err
}

// send implements sink. A line whose place is not kept any more is sent again, by this process
// or another, as it was.
func (s *leasedSink) send(ctx context.Context, b batch) error {
	if len(b.lines) > 0 {
		if err := s.push(ctx, b.lines, s.now()); err != nil {
			return err
		}
	}
	renew := s.now().Add(s.lease / 3)
	err := s.store.SaveSink(ctx, s.name, s.process, s.lease, store.SinkPlace{OutboxPosition: b.next.OutboxPosition, Seq: b.next.Seq, Hash: b.next.Hash})
	if err != nil {
		return err
	}
	s.last, s.renew = b.next, renew
	return nil
}

// giveUpTimeout bounds how long the end of a process waits to give a lease up: another takes
// it when it ends by itself.
const giveUpTimeout = time.Second

// close implements sink.
func (s *leasedSink) close() {
	s.transport.close()
	if s.renew.IsZero() {
		return
	}
	s.renew = time.Time{}
	ctx, cancel := context.WithTimeout(context.Background(), giveUpTimeout)
	defer cancel()
	_, _ = s.store.HoldSink(ctx, s.name, s.process, 0)
}
