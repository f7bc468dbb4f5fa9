//go:build unix

package upstream

import (
	"io"
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

// step does what can be done without waiting, and reports whether that was all.
func (a *asking) step(fd uintptr) bool {
	if !a.written {
		if a.look && !silent(fd) {
			a.stale = true
			return true
		}
		a.sent, a.err = again(syscall.Write, fd, a.message)
		a.written = a.sent == len(a.message)
		return !a.written
	}
	if a.n, a.err = again(syscall.Read, fd, a.into); a.err == syscall.EAGAIN {
		a.err = nil
		return false
	}
	if a.n == 0 && a.err == nil {
		a.err = io.EOF
	}
	return true
}

// again makes a system call until no signal interrupts it. It returns no negative number.
func again(call func(int, []byte) (int, error), fd uintptr, b []byte) (int, error) {
	for {
		n, err := call(int(fd), b)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}
