package lane

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/hookgate/hookgate/internal/handover"
)

// Watch calls gone, once, when the client is gone, or has shut its writing side, which
// net/http's server takes for the same. It watches until stop returns, or until the client
// sends more, which is left where it is.
func (a *Answer) Watch(gone func()) (stop func()) {
	c := a.conn
	_ = c.SetReadDeadline(time.Time{}) // that of the wait for this request
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var next [1]byte
		var n int
		var failed error
		err := c.raw.Read(func(fd uintptr) bool {
			n, failed = again(peek, fd, next[:])
			return failed != syscall.EAGAIN
		})
		if errors.Is(err, os.ErrDeadlineExceeded) || err == nil && failed == nil && n > 0 {
			return
		}
		gone()
	}()
	return func() {
		_ = c.SetReadDeadline(handover.LongAgo)
		<-ended
		_ = c.SetReadDeadline(time.Time{})
	}
}

// peek reads bytes that the next read reads again.
func peek(fd int, b []byte) (int, error) {
	n, _, err := syscall.Recvfrom(fd, b, syscall.MSG_PEEK)
	return n, err
}
