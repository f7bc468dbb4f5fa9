package handover

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// waits reports whether bytes have arrived on a connection that nobody has read. Closed as
// it is, the kernel would reset it.
func waits(nc net.Conn) bool {
	socket, ok := nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	unread := 0
	_ = raw.Control(func(fd uintptr) { unread, _ = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
	return unread > 0
}
