package embedded

import (
	"net"
	"sync"
)

// bufferedConn is the client's end of an in-memory pipe. A pipe has no buffer: a
// pipeline longer than what the server reads at once would wait for the server to
// read on, and the server for the client to read its first answers, both for ever.
// So writing returns at once and what was written follows as the server reads it.
type bufferedConn struct {
	net.Conn

	mu      sync.Mutex
	pending []byte
	writing bool // a goroutine is passing pending on
	err     error
}

func (c *bufferedConn) Write(data []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	c.pending = append(c.pending, data...)
	if !c.writing {
		c.writing = true
		go c.pass()
	}
	return len(data), nil
}

// pass ends when there is nothing left to write, or with the connection.
func (c *bufferedConn) pass() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.pending) > 0 && c.err == nil {
		data := c.pending
		c.pending = nil
		c.mu.Unlock()
		_, err := c.Conn.Write(data)
		c.mu.Lock()
		c.err = err
	}
	c.writing = false
}
