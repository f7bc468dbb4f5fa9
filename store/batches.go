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
	// maxFlights is how many batches are under way at once. With fewer they are larger; with
	// one alone a packet that is lost would hold up all.
	maxFlights = 2
	// maxBatch bounds what goes down a connection before its answers are read.
	maxBatch = 128
)

// batches sends commands of requests that come at the same time down one connection in one
// write: the system calls, here and in Redis, cost more than the commands. A command that
// comes alone is sent at once. Those that come while as many batches as may be are under
// way go together with the next one.
type batches struct {
	mu      sync.Mutex
	waiting []*queued
	flights int
}

// queued is a command that waits to be sent, or for its answer.
type queued struct {
	cmd      redis.Cmder
	left     bool // nobody waits for it any more; under the mutex of batches
	answered chan struct{}
}

var errNoAnswer = errors.New("no answer in time")

// do sends a command and returns its error, after replayTimeout at most. Then the command
// may still be written to, and must not be looked at.
func (b *batches) do(ctx context.Context, conn redisconn.Conn, cmd redis.Cmder) error {
	q := &queued{cmd: cmd}
	b.mu.Lock()
	if b.flights < maxFlights { // so nobody waits
		b.flights++
		b.mu.Unlock()
		defer b.landed(conn) // also where the client library panics
		send(ctx, conn, []*queued{q})
		return cmd.Err()
	}
	q.answered = make(chan struct{})
	b.waiting = append(b.waiting, q)
	b.mu.Unlock()
	timer := time.NewTimer(replayTimeout)
	defer timer.Stop()
	var err error
	select {
	case <-q.answered:
		return cmd.Err()
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = errNoAnswer
	}
	b.mu.Lock()
	q.left = true
	b.mu.Unlock()
	return err
}

// landed ends a flight, or begins another for those that have come meanwhile.
func (b *batches) landed(conn redisconn.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		b.flights--
		return
	}
	go b.fly(conn)
}

// fly sends one batch after the other until nobody waits.
func (b *batches) fly(conn redisconn.Conn) {
	for {
		batch := b.take()
		if batch == nil {
			return
		}
		send(context.Background(), conn, batch)
		for _, q := range batch {
			close(q.answered)
		}
	}
}

// take returns the next batch. Where there is none the flight has ended.
func (b *batches) take() []*queued {
	b.mu.Lock()
	defer b.mu.Unlock()
	var batch []*queued
	for i, q := range b.waiting {
		if len(batch) == maxBatch {
			b.waiting = b.waiting[i:]
			return batch
		}
		// What nobody waits for is not sent: a claim would keep an event that was delivered
		// without it.
		if !q.left {
			batch = append(batch, q)
		}
	}
	b.waiting = nil
	if batch == nil {
		b.flights--
	}
	return batch
}

// send sends a batch to the master, and gives each command its answer or error.
func send(ctx context.Context, conn redisconn.Conn, batch []*queued) {
	ctx, cancel := context.WithTimeout(ctx, replayTimeout)
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
