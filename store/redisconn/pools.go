package redisconn

import (
	"errors"
	"io"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	// renewalCooldown is longer than any command takes: what was sent on the old
	// connections and fails within it says nothing of the new ones.
	renewalCooldown = 3 * time.Second
	// leftOpen is how long connections of a pool that was left are still open: what others
	// have begun on them comes to its end.
	leftOpen = 30 * time.Second
)

// pools is the client of a server, and another one after renew. go-redis has no way to
// drop the idle connections of a pool, which may all be as dead as the one that has just
// been found so: a firewall forgets them together.
type pools[C io.Closer] struct {
	open func() C

	mu      sync.Mutex
	now     C
	renewed time.Time
	left    []io.Closer // still open
	closed  bool
}

func newPools[C io.Closer](open func() C) *pools[C] { return &pools[C]{open: open, now: open()} }

func (p *pools[C]) current() C {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// renew leaves the pool, and reports whether it did.
func (p *pools[C]) renew() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || time.Since(p.renewed) < renewalCooldown {
		return false
	}
	old := p.now
	p.now, p.renewed = p.open(), time.Now()
	p.left = append(p.left, old)
	time.AfterFunc(leftOpen, func() { p.closeLeft(old) })
	return true
}

func (p *pools[C]) closeLeft(old io.Closer) {
	p.mu.Lock()
	i := slices.Index(p.left, old)
	if i >= 0 {
		p.left = slices.Delete(p.left, i, i+1)
	}
	p.mu.Unlock()
	if i >= 0 {
		_ = old.Close()
	}
}

// Close closes what is open.
func (p *pools[C]) Close() error {
	p.mu.Lock()
	all := append(slices.Clone(p.left), io.Closer(p.now))
	p.left, p.closed = nil, true
	p.mu.Unlock()
	var errs []error
	for _, c := range all {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// isEnd reports whether err says that the other end closed the connection.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
