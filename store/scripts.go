package store

import (
	"context"
	_ "embed"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/store/redisconn"
)

var (
	//go:embed lua/mutate.lua
	mutateSource string
	//go:embed lua/usage.lua
	usageSource string
	//go:embed lua/epoch.lua
	epochSource string
	//go:embed lua/audit.lua
	auditSource string
	//go:embed lua/replay.lua
	replaySource string
	//go:embed lua/proofs.lua
	proofsSource string

	mutateScript = redisconn.NewScript(mutateSource)
	usageScript  = redisconn.NewScript(usageSource)
	epochScript  = redisconn.NewScript(epochSource)
	auditScript  = redisconn.NewScript(auditSource)
	replayScript = redisconn.NewScript(replaySource)
	proofsScript = redisconn.NewScript(proofsSource)

	// revokeScript also runs while Redis is out of memory, where it refuses any
	// script that does not say so. Not the usual one, because Redis before 7 and
	// miniredis cannot read its first line.
	revokeScript = redisconn.NewScript("#!lua flags=allow-oom\n" + mutateSource)
)

// scriptRunner runs a write script. It puts the time before args: empty for the
// server's own clock, or in milliseconds where the runner keeps the clock itself.
// It returns errNotReplicated with the reply where the script has run, but fewer
// than the given number of replicas have acknowledged what it wrote.
type scriptRunner interface {
	Run(ctx context.Context, script redisconn.Script, replicas int, keys []string, args []any) (any, error)
}

// serverScripts runs scripts on a Redis server.
type serverScripts struct{ server redisconn.Conn }

func (r serverScripts) Run(ctx context.Context, script redisconn.Script, replicas int, keys []string, args []any) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, scriptTimeout)
	defer cancel()
	node, err := r.server.Node(ctx)
	if err != nil {
		r.server.Failed(ctx, err)
		return nil, err
	}
	reply, err := runScript(ctx, node, script, replicas, keys, append([]any{""}, args...))
	if err != nil {
		r.server.Failed(ctx, err)
	}
	return reply, err
}

// runScript runs a script by its hash, and by its text where the server does not
// know it. WAIT counts the replicas that have all that its own connection wrote, so
// it goes down the same one, in one pipeline.
func runScript(ctx context.Context, node *redis.Client, script redisconn.Script, replicas int, keys []string, args []any) (any, error) {
	if replicas == 0 {
		return script.Run(ctx, node, keys, args...).Result()
	}
	reply, acknowledged, err := runAndWait(ctx, node, replicas, func(p redis.Pipeliner) *redis.Cmd {
		return p.EvalSha(ctx, script.Hash(), keys, args...)
	})
	if errors.Is(err, redis.ErrNoScript) {
		reply, acknowledged, err = runAndWait(ctx, node, replicas, func(p redis.Pipeliner) *redis.Cmd {
			return p.Eval(ctx, script.Source, keys, args...)
		})
	}
	if err == nil && acknowledged < replicas {
		err = errNotReplicated
	}
	return reply, err
}

// replicaTimeout is how long a mutation waits for replicas.
const replicaTimeout = 500 * time.Millisecond

// errNotReplicated: too few replicas acknowledged a write in time.
var errNotReplicated = errors.New("too few replicas acknowledged the write")

func runAndWait(ctx context.Context, node *redis.Client, replicas int, write func(redis.Pipeliner) *redis.Cmd) (reply any, acknowledged int, err error) {
	var written, waited *redis.Cmd
	_, _ = node.Pipelined(ctx, func(p redis.Pipeliner) error {
		written = write(p)
		waited = p.Do(ctx, "WAIT", replicas, replicaTimeout.Milliseconds())
		return nil
	})
	if reply, err = written.Result(); err != nil {
		return nil, 0, err
	}
	// What has been written stands, whatever became of the WAIT.
	acknowledged, err = waited.Int()
	if err != nil {
		return reply, 0, errNotReplicated
	}
	return reply, acknowledged, nil
}
