package admin

import (
	"container/list"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

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

	mu       sync.Mutex
	subjects map[subject]*list.Element
	recent   list.List // of *counted, the latest first
}

// subject is a digest, so that a long sub takes no more memory than a short one.
type subject [sha256.Size]byte

type counted struct {
	subject subject
	bucket  *rate.Limiter
}

func newLimiter(config RateLimit, now keyring.Clock) (*limiter, error) {
	if config.Off {
		if config != (RateLimit{Off: true}) {
			return nil, errors.New("rate limit: it is off, and yet has a rate")
		}
		return &limiter{limit: rate.Inf}, nil
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
	return &limiter{
		limit: rate.Limit(config.PerSecond), burst: config.Burst, now: now, subjects: map[subject]*list.Element{},
	}, nil
}

// take counts a request and returns 0, or how long its sender should wait before
// the next one; what must wait is not counted.
func (l *limiter) take(tenant uuid.UUID, sub string) time.Duration {
	if l.limit == rate.Inf {
		return 0
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	reservation := l.bucket(sha256.Sum256(append(tenant[:], sub...))).ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

func (l *limiter) bucket(s subject) *rate.Limiter {
	if e := l.subjects[s]; e != nil {
		l.recent.MoveToFront(e)
		return e.Value.(*counted).bucket
	}
	if len(l.subjects) >= maxSubjects {
		oldest := l.recent.Back()
		delete(l.subjects, oldest.Value.(*counted).subject)
		l.recent.Remove(oldest)
	}
	c := &counted{s, rate.NewLimiter(l.limit, l.burst)}
	l.subjects[s] = l.recent.PushFront(c)
	return c.bucket
}
