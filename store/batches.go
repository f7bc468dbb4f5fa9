package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/store/redisconn"
)

const (
	// maxBatch bounds what goes down a connection before its answers are read.
	maxBatch = 256
	// maxQueued is how long a command may wait to be sent: a Redis that stood still for less
	// answers it in what is left of its time.
	maxQueued = replayTimeout * 9 / 10
)

// batches sends commands of requests that come at the same time down one connection in one
// write: the system calls, here and in Redis, cost more than the commands. A command that
// comes alone is sent at once. Those that come while others are under way go together once
// these are answered.
type batches struct {
	mu       sync.Mutex
	waiting  []*queued
	underway bool
}

// queued is a command that waits to be sent, or for its answer.
type queued struct {
	cmd      redis.Cmder
	began    time.Time
	answered chan struct{}
}

var errNoAnswer = errors.New("no answer in time")

// queues keeps what was queued, with its channel, for the next command.
var queues = sync.Pool{New: func() any { return &queued{answered: make(chan struct{}, 1)} }}

// do sends a command and returns its error, replayTimeout after it began at most.
func (b *batches) do(ctx context.Context, conn redisconn.Conn, began time.Time, cmd redis.Cmder) error {
	q := queues.Get().(*queued)
	defer queues.Put(q)
	q.cmd, q.began = cmd, began
	b.mu.Lock()
	if b.underway {
		b.waiting = append(b.waiting, q)
		b.mu.Unlock()
		<-q.answered
		return cmd.Err()
	}
	b.underway = true
	b.mu.Unlock()
	defer b.next(conn) // also where the client library panics
	send(ctx, conn, []*queued{q})
	return cmd.Err()
}

// next lets those go that have come meanwhile.
func (b *batches) next(conn redisconn.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.underway = len(b.waiting) > 0
	if b.underway {
		go b.run(conn)
	}
}

// run sends one batch after the other until nobody waits.
func (b *batches) run(conn redisconn.Conn) {
	for {
		batch, late := b.take(time.Now())
		for _, q := range late {
			q.cmd.SetErr(errNoAnswer)
			q.answered <- struct{}{}
		}
		if len(batch) > 0 {
			send(context.Background(), conn, batch)
		} else if len(late) == 0 {
			return
		}
		for _, q := range batch {
			q.answered <- struct{}{}
		}
	}
}

// take returns the next batch, the longest waiting first, and those that have waited too
// long to be sent. Where there are none nothing is under way any more.
func (b *batches) take(now time.Time) (batch, late []*queued) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for n < len(b.waiting) && now.Sub(b.waiting[n].began) > maxQueued {
		n++
	}
	end := min(n+maxBatch, len(b.waiting))
	late, batch, b.waiting = b.waiting[:n], b.waiting[n:end], b.waiting[end:]
	if len(b.waiting) == 0 {
		b.waiting = nil // the others have the array
	}
	b.underway = end > 0
	return batch, late
}

// send sends a batch to the master, and gives each command its answer or error, in the time
// that the one which has waited longest has left.
func send(ctx context.Context, conn redisconn.Conn, batch []*queued) {
	ctx, cancel := context.WithDeadline(ctx, batch[0].began.Add(replayTimeout))
	defer cancel()
	node, err := conn.Node(ctx)
	if err != nil {
		conn.Failed(ctx, err)
		for _, q := range batch {
			q.cmd.SetErr(err)
		}
		return
	}
	if len(batch) == 1 {
		_ = node.Process(ctx, batch[0].cmd)
	} else {
		_, _ = node.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, q := range batch {
				_ = p.Process(ctx, q.cmd)
			}
			return nil
		})
	}
	for _, q := range batch {
		if err := q.cmd.Err(); err != nil && !errors.Is(err, redis.Nil) {
			conn.Failed(ctx, err)
			return
		}
	}
}
