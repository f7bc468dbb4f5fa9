package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/store/redisconn"
)

// What a command of ours is for, where it is not for serving.
const (
	forWait    = "wait_replicas"
	forCheck   = "`hookgate check`"
	forDump    = "`hookgate store dump`"
	forRestore = "`hookgate store restore`"
	forCluster = "a Redis Cluster"
	forReplay  = "`replay`"

	forReplicas = "`snapshot_from replicas` in a Redis Cluster"
)

// command is one that Hookgate sends, itself or in a script, as an ACL names it, in a
// form that does no harm: on a key beside the data set, which holds nothing afterwards.
type command struct {
	name   string
	args   func(key string) []any
	serves string // "" for everything
}

func on(name string, args ...any) command {
	return command{name: name, args: func(key string) []any { return append([]any{key}, args...) }}
}

func bare(name, serves string, args ...any) command {
	return command{name: name, serves: serves, args: func(string) []any { return args }}
}

// commands are all that the ACL of docs/operations.md permits, in an order in which each
// can be tried: hset makes the key a hash, on which the commands of other types change
// nothing, and hdel takes it away.
var commands = []command{
	on("hset", "field", "value"), on("hget", "field"), on("hmget", "field"), on("hgetall"), on("hlen"), on("hexists", "field"),
	on("zadd", "0", "member"), on("zrange", "0", "0"), on("zrangebyscore", "0", "0"), on("zcard"), on("zscore", "member"), on("zrem", "member"),
	on("sadd", "member"), on("scard"), on("sismember", "member"),
	on("xadd", "*", "field", "value"), on("xlen"), on("xrange", "-", "+", "COUNT", "1"), on("xrevrange", "+", "-", "COUNT", "1"), on("xtrim", "MAXLEN", "0"), on("xdel", "1-1"),
	{name: "xread", args: func(key string) []any { return []any{"COUNT", "1", "STREAMS", key, "0"} }},
	on("persist"), on("hdel", "field"),
	{name: "eval", args: func(key string) []any { return []any{touchSource, "1", key} }},
	{name: "evalsha", args: func(key string) []any { return []any{strings.Repeat("0", 40), "1", key} }},
	bare("time", ""),
	{name: "get", serves: forReplay, args: func(key string) []any { return []any{key} }},
	{name: "set", serves: forReplay, args: func(key string) []any { return []any{key, "value", "NX", "GET", "PX", "1"} }},
	{name: "del", serves: forRestore, args: func(key string) []any { return []any{key} }},
	bare("scan", forDump, "0", "COUNT", "1"),
	bare("wait", forWait, "0", "1"),
	bare("info", forCheck, "server"), bare("config|get", forCheck, "save"), bare("cluster|nodes", forCheck),
	bare("cluster|slots", forCluster), bare("cluster|shards", forCluster), bare("readonly", forReplicas),
}

// harmless are the kinds of answers of a server that runs a command for us, though not
// in the form that it is tried in.
var harmless = []string{"WRONGTYPE", "NOSCRIPT", "OOM"}

// checkCommands tries every command of ours.
func (s *Store) checkCommands(ctx context.Context, node *redis.Client) Finding {
	const check = "commands"
	key := s.keys.prefix + "check"
	replies := make([]*redis.Cmd, len(commands))
	_, err := node.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, c := range commands {
			var words []any
			for word := range strings.SplitSeq(c.name, "|") {
				words = append(words, word)
			}
			replies[i] = p.Do(ctx, append(words, c.args(key)...)...)
		}
		return nil
	})
	if err != nil && !redisconn.IsServerReply(err) {
		return Finding{check, SeverityProblem, fmt.Sprintf("could not be tried: %v", err)}
	}
	var refused, lost []string
	var example error
	for i, c := range commands {
		err := replies[i].Err()
		if err == nil || isHarmless(err) || !s.needs(c) {
			continue
		}
		if c.serves == "" {
			refused = append(refused, c.name)
			example = err
		} else {
			lost = append(lost, fmt.Sprintf("%s (for %s)", c.name, c.serves))
		}
	}
	switch {
	case len(refused) > 0:
		return Finding{check, SeverityProblem, fmt.Sprintf("Redis refuses %s: %v", strings.Join(append(refused, lost...), ", "), example)}
	case len(lost) > 0:
		return Finding{check, SeverityWarning, "Redis refuses " + strings.Join(lost, ", ")}
	}
	return Finding{check, SeverityOK, "all that Hookgate uses are permitted"}
}

func isHarmless(err error) bool {
	if errors.Is(err, redis.Nil) {
		return true
	}
	for _, kind := range harmless {
		if redis.HasErrorPrefix(err, kind) {
			return true
		}
	}
	return false
}

// needs reports whether the configuration uses a command. What only `hookgate check`
// asks has findings of its own.
func (s *Store) needs(c command) bool {
	switch c.serves {
	case forCheck:
		return false
	case forWait:
		return s.tuning.Load().WaitReplicas > 0
	case forCluster:
		return s.config.Redis.Topology == redisconn.Cluster
	case forReplicas:
		return s.config.Redis.Topology == redisconn.Cluster && s.config.Redis.SnapshotFrom == redisconn.FromReplicas
	}
	return true
}
