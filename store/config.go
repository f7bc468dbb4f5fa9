package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hookgate/hookgate/credential/seal"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
)

// Config says which data set a Store keeps. A change of any field needs another
// Store; what can change while it runs is in Tuning.
type Config struct {
	// Redis is where the data set is; empty where EmbeddedDir is set.
	Redis redisconn.Server
	// EmbeddedDir is the directory of the embedded store: a single process with its
	// own journal instead of Redis. It is created with mode 0700.
	EmbeddedDir string
	// Namespace prefixes every key. Sidecars that share it share their credentials.
	Namespace string
	// Clock is time.Now where nil.
	Clock keyring.Clock
}

// Tuning is what may change from one configuration to the next while a Store runs.
type Tuning struct {
	// UsageFlush is how often lastUsedAt is written: also how much of it a crash
	// loses. DefaultUsageFlush where it is not positive.
	UsageFlush time.Duration
	// MaxStaleness is how old the keyring may become before the guard decides nothing
	// any more. It bounds how long a snapshot may be put off.
	MaxStaleness time.Duration
	// WaitReplicas is how many replicas must have a mutation before it counts as
	// done. More than zero needs a Redis with replicas.
	WaitReplicas int
	// AuditKeep and AuditLife are how many entries of a tenant's audit log are kept,
	// and for how long. DefaultAuditKeep and DefaultAuditLife where not positive.
	AuditKeep int
	AuditLife time.Duration
	// SealKeys seal and open the secrets by which vendors prove themselves; nil: none can
	// be kept, and none of those that are kept can be used.
	SealKeys *seal.Keys
	// Quota is how many live credentials a tenant may have, or NoQuota; DefaultQuota where
	// it is 0.
	Quota int
	// Offline starts a store for a single operation on the data set: nothing is
	// followed, the keyring stays empty.
	Offline bool
	// Logger receives the store's log. Nothing secret is ever written to it.
	Logger *slog.Logger
}

// DefaultUsageFlush is how often lastUsedAt is written unless a Tuning says otherwise.
const DefaultUsageFlush = 5 * time.Second

// What is kept of a tenant's audit log unless a Tuning says otherwise.
const (
	DefaultAuditKeep = 100_000
	DefaultAuditLife = 90 * 24 * time.Hour
)

// Fingerprint identifies the data set and the way to it: two equal configurations
// can share a Store. It reveals nothing of the password.
func (c Config) Fingerprint() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q", []any{c.Redis, c.EmbeddedDir, c.Namespace})
	return hex.EncodeToString(h.Sum(nil))
}

var (
	errTwoHomes = errors.New("either a Redis address or an embedded directory, not both")
)

// Timeouts of one exchange with Redis. They are short: while Redis hangs, requests
// are decided from memory and operators should learn about it at once.
const (
	scriptTimeout = 2 * time.Second
	snapshotBatch = 8 // buckets read per round trip; more would delay other clients
	// snapshotPatience is how long a round trip of a snapshot is waited for at most. A
	// Redis that many sidecars read at once answers late, and what was given up it has
	// done in vain: the wait begins with a second and doubles each time.
	snapshotPatience = 8 * time.Second
)
