//go:build unix

package upstream

import (
	"syscall"
)

// canTellClosed: where an idle connection cannot be asked whether it still is one, the
// direct way would lose requests.
const canTellClosed = true

// silent reports whether there is nothing to be read from a socket that does not block:
// no data, no end and no error.
func silent(fd uintptr) bool {
	var unasked [1]byte
	for {
		_, err := syscall.Read(int(fd), unasked[:])
		if err != syscall.EINTR {
			return err == syscall.EAGAIN
		}
	}
}
