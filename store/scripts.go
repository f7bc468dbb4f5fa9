package store

import (
	"context"
	_ "embed"

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
	//go:embed lua/refusals.lua
	refusalsSource string
	//go:embed lua/herd.lua
	herdSource string
	//go:embed lua/trim.lua
	trimSource string
	//go:embed lua/outbox.lua
	outboxSource string
	//go:embed lua/sink.lua
	sinkSource string
	//go:embed lua/count.lua
	countSource string

	mutateScript = redisconn.NewScript(trimSource + mutateSource)
	usageScript  = redisconn.NewScript(usageSource)
	epochScript  = redisconn.NewScript(epochSource)
	auditScript  = redisconn.NewScript(trimSource + auditSource)
	herdScript   = redisconn.NewScript(herdSource)
	countScript  = redisconn.NewScript(countSource)
	outboxScript = redisconn.NewScript(outboxSource)
	sinkScript   = redisconn.NewScript(sinkSource)
	replayScript = redisconn.NewScript(replaySource)
	proofsScript = redisconn.NewScript(proofsSource)

	refusalsScript = redisconn.NewScript(refusalsSource)

	// revokeScript also runs while Redis is out of memory, where it refuses any
	// script that does not say so. Not the usual one, because Redis before 7 and
	// miniredis cannot read its first line.
	revokeScript = redisconn.NewScript("#!lua flags=allow-oom\n" + trimSource + mutateSource)
)

// scriptRunner runs a write script. It puts the time before args: empty for the
// server's own clock, or in milliseconds where the runner keeps the clock itself.
// It returns ErrNotReplicated with the reply where the script has run, but fewer
// than the given number of replicas are known to have what it wrote, or found written.
type scriptRunner interface {
	Run(ctx context.Context, script redisconn.Script, replicas int, keys []string, args []any) (any, error)
}

// serverScripts runs scripts on a Redis server.
type serverScripts struct {
	server redisconn.Conn
	meta   string // the key
}

func (r serverScripts) Run(ctx context.Context, script redisconn.Script, replicas int, keys []string, args []any) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, scriptTimeout)
	defer cancel()
	node, err := r.server.Node(ctx)
	if err != nil {
		r.server.Failed(ctx, err)
		return nil, err
	}
	reply, err := r.runScript(ctx, node, script, replicas, keys, append([]any{""}, args...))
	if err != nil {
		r.server.Failed(ctx, err)
	}
	return reply, err
}

// runScript runs a script by its hash, and by its text where the server does not
// know it.
func (r serverScripts) runScript(ctx context.Context, node *redis.Client, script redisconn.Script, replicas int, keys []string, args []any) (any, error) {
	if replicas == 0 {
		return script.Run(ctx, node, keys, args...).Result()
	}
	var run *redis.Cmd
	waited := sendAndWait(ctx, node, r.meta, replicas, func(p redis.Pipeliner) {
		run = p.EvalSha(ctx, script.Hash(), keys, args...)
	})
	// Its prefix: what follows differs from one server to another.
	if redis.HasErrorPrefix(run.Err(), "NOSCRIPT") {
		waited = sendAndWait(ctx, node, r.meta, replicas, func(p redis.Pipeliner) {
			run = p.Eval(ctx, script.Source, keys, args...)
		})
	}
	if err := run.Err(); err != nil {
		return nil, err
	}
	// What has been written stands, whatever became of the WAIT.
	return run.Val(), waited
}
