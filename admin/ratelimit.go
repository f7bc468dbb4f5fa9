package admin

import (
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/keyring"
)

// RateLimit is how often one operator, the sub of a tenant's bearer tokens, may ask
// one process. The zero value is 100 requests a second, in bursts of up to 200.
type RateLimit struct {
	Off bool
	// PerSecond requests are allowed for as long as it may be, Burst at once; twice
	// PerSecond where zero.
	PerSecond, Burst int
}

const (
	defaultPerSecond = 100
	// maxPerSecond and maxBurst only rule out what cannot be meant.
	maxPerSecond = 1_000_000
	maxBurst     = 10_000_000
	// maxSubjects is how many operators are remembered. Whoever asked longest ago is
	// forgotten first, and starts afresh.
	maxSubjects = 10_000
)

// limiter counts requests per operator and by nothing else: addresses of operators
// are shared and change, and another tenant's operator has the same sub.
type limiter struct {
	limit rate.Limit
	burst int
	now   keyring.Clock

	mu      sync.Mutex
	buckets *lru.LRU[subject, *rate.Limiter]
}

// subject is a digest, so that a long sub takes no more memory than a short one.
type subject [sha256.Size]byte

func newLimiter(config RateLimit, now keyring.Clock) (*limiter, error) {
	if config.Off {
		if config != (RateLimit{Off: true}) {
			return nil, errors.New("rate limit: off takes no rate")
		}
		return limiterOf(rate.Inf, 0, now)
	}
	if config.PerSecond == 0 {
		config.PerSecond = defaultPerSecond
	}
	if config.Burst == 0 {
		config.Burst = 2 * config.PerSecond
	}
	if config.PerSecond < 1 || config.PerSecond > maxPerSecond || config.Burst < 1 || config.Burst > maxBurst {
		return nil, errors.New("rate limit: out of range")
	}
	return limiterOf(rate.Limit(config.PerSecond), config.Burst, now)
}

func limiterOf(limit rate.Limit, burst int, now keyring.Clock) (*limiter, error) {
	buckets, err := lru.NewLRU[subject, *rate.Limiter](maxSubjects, nil)
	return &limiter{limit: limit, burst: burst, now: now, buckets: buckets}, err
}

// take counts a request and returns 0, or how long its sender should wait before
// the next one; what must wait is not counted.
func (l *limiter) take(who bearer.Operator) time.Duration {
	if l.limit == rate.Inf {
		return 0
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	s := subject(sha256.Sum256(append(who.Tenant[:], who.Subject...)))
	bucket, known := l.buckets.Get(s)
	if !known {
		bucket = rate.NewLimiter(l.limit, l.burst)
		l.buckets.Add(s, bucket)
	}
	reservation := bucket.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}
