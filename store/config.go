package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// Config says which data set a Store keeps. A change of any field needs another
// Store; what can change while it runs is in Tuning.
type Config struct {
	// URL is a redis://, rediss:// or unix:// address, with its password if any.
	// Exactly one of URL and EmbeddedDir is set.
	URL string
	// EmbeddedDir is the directory of the embedded store: a single process with its
	// own journal instead of Redis. It is created with mode 0700.
	EmbeddedDir string
	// Namespace prefixes every key. Sidecars that share it share their credentials.
	Namespace string
	// Clock is time.Now where nil.
	Clock Clock
}

// Tuning is what may change from one configuration to the next while a Store runs.
type Tuning struct {
	// UsageFlush is how often lastUsedAt is written: also how much of it a crash
	// loses. DefaultUsageFlush where it is not positive.
	UsageFlush time.Duration
	// Logger receives the store's log. Nothing secret is ever written to it.
	Logger *slog.Logger
}

// DefaultUsageFlush is how often lastUsedAt is written unless a Tuning says otherwise.
const DefaultUsageFlush = 5 * time.Second

// Fingerprint identifies the data set and the way to it: two equal configurations
// can share a Store. It reveals nothing of the password.
func (c Config) Fingerprint() string {
	h := sha256.New()
	for _, field := range []string{c.URL, c.EmbeddedDir, c.Namespace} {
		fmt.Fprintf(h, "%d:%s", len(field), field)
	}
	return hex.EncodeToString(h.Sum(nil))
}

var (
	errNoRedis  = errors.New("no Redis address")
	errTwoHomes = errors.New("either a Redis address or an embedded directory, not both")
	errRedisURL = errors.New("the Redis address must be a redis://, rediss:// or unix:// URL")
)

// Timeouts of one exchange with Redis. They are short: while Redis hangs, requests
// are decided from memory and operators should learn about it at once.
const (
	dialTimeout    = time.Second
	commandTimeout = time.Second
	scriptTimeout  = 2 * time.Second
	snapshotBatch  = 8 // buckets read per round trip; more would delay other clients
)

// redisOptions turns the configuration into options for both clients.
func (c Config) redisOptions() (*redis.Options, error) {
	if c.URL == "" {
		return nil, errNoRedis
	}
	opt, err := redis.ParseURL(c.URL)
	if err != nil {
		return nil, errRedisURL // ParseURL's own text repeats the URL, with the password
	}
	return opt, nil
}
