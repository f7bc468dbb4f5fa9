package store

import (
	"time"

	"github.com/hookgate/hookgate/credential"
)

// Stats is the state of a store at one moment, for metrics and health checks.
type Stats struct {
	// RedisUp: the last probe of Redis succeeded, writes included.
	RedisUp bool
	// Loaded: the keyring has been read at least once; Age is since it was last
	// proved equal to Redis.
	Loaded bool
	Age    time.Duration
	// Credentials counts the live digests.
	Credentials map[credential.Kind]int
	// Resyncs counts how often the keyring was read anew, by reason.
	Resyncs map[ResyncReason]uint64
	// SnapshotRetries counts round trips of a snapshot that failed and were made again.
	SnapshotRetries uint64
	// LedgerLag is how long the newest change took from its commit to this keyring.
	LedgerLag time.Duration
	// UsagePending counts credentials whose last use is not written yet;
	// UsageFlushed and UsageFailed count the batches.
	UsagePending int
	UsageFlushed uint64
	UsageFailed  uint64
	// Unsealable counts credentials whose secrets cannot be opened, so that their requests
	// are 503; ProofBytes is about how much memory opened ones take.
	Unsealable int
	ProofBytes int64
}

// Stats returns the state of the store at a local time.
func (s *Store) Stats(now time.Time) Stats {
	st := Stats{
		RedisUp:         s.follower.up.Load(),
		Credentials:     make(map[credential.Kind]int, len(credential.KindCodes)),
		Resyncs:         s.follower.resyncCounts(),
		SnapshotRetries: s.follower.retries.Load(),
		LedgerLag:       time.Duration(s.follower.lag.Load()),
		UsagePending:    s.usage.pending(),
		UsageFlushed:    s.usage.flushed.Load(),
		UsageFailed:     s.usage.failed.Load(),
		Unsealable:      s.keyring.Unsealable(),
		ProofBytes:      s.keyring.ProofBytes(),
	}
	st.Age, st.Loaded = s.keyring.Age(now)
	for _, kind := range credential.KindCodes {
		st.Credentials[kind] = s.keyring.Count(kind)
	}
	return st
}
