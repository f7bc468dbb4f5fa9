package store

import (
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// The client's own log goes to standard error, past the encoder that redacts ours,
// and floods it while Redis is away. What matters of it is in the errors we log.
func init() { redis.SetLogger(&logging.VoidLogger{}) }

// harden sets what go-redis' defaults get wrong for this purpose.
func harden(opt *redis.Options) {
	// Without it a context's deadline is ignored while waiting for an answer.
	opt.ContextTimeoutEnabled = true
	// A script whose answer is late must not be sent again behind our back.
	opt.MaxRetries = -1
	opt.DialerRetries = 1
	opt.DialTimeout = dialTimeout
	opt.ReadTimeout = commandTimeout
	opt.WriteTimeout = commandTimeout
	// Both send commands at connect that older servers and tight ACLs refuse.
	opt.DisableIdentity = true
	opt.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// newClients returns a client for commands and one for the ledger's tail: a
// blocked XREAD holds its connection, and must never keep a command waiting.
func newClients(opt *redis.Options) (commands, tail *redis.Client) {
	harden(opt)
	forTail := *opt
	opt.PoolSize = 8
	forTail.PoolSize = 2
	forTail.PipelinePoolSize = -1
	return redis.NewClient(opt), redis.NewClient(&forTail)
}
