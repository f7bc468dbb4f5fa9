package store

import (
	"context"
	_ "embed" // the scripts are files of their own, to be read as what they are

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed lua/mutate.lua
	mutateSource string
	//go:embed lua/usage.lua
	usageSource string

	mutateScript = newScript(mutateSource)
	usageScript  = newScript(usageSource)

	// revokeScript also runs while Redis is out of memory, where it refuses any
	// script that does not say so. Not the usual one, because Redis before 7 and
	// miniredis cannot read its first line.
	revokeScript = newScript("#!lua flags=allow-oom\n" + mutateSource)
)

// writeScript is a script that changes the data set.
type writeScript struct {
	source string
	*redis.Script
}

func newScript(source string) writeScript {
	return writeScript{source: source, Script: redis.NewScript(source)}
}

// scriptRunner runs a write script. It puts the time before args: empty for the
// server's own clock, or in milliseconds where the runner keeps the clock itself.
type scriptRunner interface {
	run(ctx context.Context, script writeScript, keys []string, args []any) (any, error)
}

// serverScripts runs scripts on a Redis server.
type serverScripts struct{ rdb *redis.Client }

func (r serverScripts) run(ctx context.Context, script writeScript, keys []string, args []any) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, scriptTimeout)
	defer cancel()
	return script.Run(ctx, r.rdb, keys, append([]any{""}, args...)...).Result()
}
