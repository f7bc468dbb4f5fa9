package store

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/store/redisconn"
)

//go:embed lua/touch.lua
var touchSource string

// replicaTimeout is how long a mutation waits for replicas.
const replicaTimeout = 500 * time.Millisecond

var errNothingToTouch = errors.New("the data set is gone")

// sendAndWait sends commands and waits until the replicas have what they wrote, or what
// they found written. Errors: ErrNotReplicated; what became of the commands, they know.
//
// WAIT counts what its own connection wrote, so it goes down the same one, in one
// pipeline; and behind a write of its own, because the commands may have found
// everything done.
func sendAndWait(ctx context.Context, node *redis.Client, meta string, replicas int, commands func(redis.Pipeliner)) error {
	var touched, waited *redis.Cmd
	_, _ = node.Pipelined(ctx, func(p redis.Pipeliner) error {
		commands(p)
		touched = p.Eval(ctx, touchSource, []string{meta})
		waited = p.Do(ctx, "WAIT", replicas, replicaTimeout.Milliseconds())
		return nil
	})
	switch n, err := touched.Int(); {
	case err != nil:
		return notReplicated(err)
	case n == 0:
		return notReplicated(errNothingToTouch)
	}
	switch acknowledged, err := waited.Int(); {
	case err != nil:
		return notReplicated(err)
	case acknowledged < replicas:
		return fmt.Errorf("%w: %d of %d have it", ErrNotReplicated, acknowledged, replicas)
	}
	return nil
}

// notReplicated keeps what Redis refused to do apart from replicas that are slow.
func notReplicated(cause error) error {
	if redisconn.IsServerReply(cause) {
		return fmt.Errorf("%w: %w", ErrWaitRefused, cause)
	}
	return fmt.Errorf("%w: %w", ErrNotReplicated, cause)
}

// awaitReplicas waits until the replicas have everything that was written so far,
// where the configuration asks for it. Errors: ErrNotReplicated, ErrUnavailable.
func (s *Store) awaitReplicas(ctx context.Context) error {
	b, err := s.backend()
	if err != nil {
		return err
	}
	replicas := s.tuning.Load().WaitReplicas
	if replicas == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, scriptTimeout)
	defer cancel()
	err = b.ask(ctx, func(node *redis.Client) error {
		return sendAndWait(ctx, node, s.keys.meta(), replicas, func(redis.Pipeliner) {})
	})
	if err != nil && !errors.Is(err, ErrNotReplicated) {
		return unavailable("wait for replicas", err)
	}
	return err
}
