package store

import "sync"

// claims counts the events that are being delivered. A configuration may be replaced, and
// its store closed with it, while its last requests wait for their answers: what they claimed
// is still to be settled, or the event would be delivered again.
type claims struct {
	mu    sync.Mutex
	open  int
	after func() // called behind the last one; nil: the store is not closed
}

func (c *claims) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open++
}

func (c *claims) end() {
	c.mu.Lock()
	c.open--
	var after func()
	if c.open == 0 {
		after, c.after = c.after, nil
	}
	c.mu.Unlock()
	if after != nil {
		after()
	}
}

// defers keeps a function for the end of the last claim. It reports false where there is no
// claim, and the caller is to call it.
func (c *claims) defers(after func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == 0 {
		return false
	}
	c.after = after
	return true
}
