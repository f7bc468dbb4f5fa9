package handover

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// steer makes the kernel give every new connection to the first of the sockets that
// share an address with SO_REUSEPORT: ours, since later servers bind theirs later. So
// nothing is ever lost with theirs.
func steer(socket *net.TCPListener) error {
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	program := unix.SockFprog{Len: 1, Filter: &unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	var failed error
	err = raw.Control(func(fd uintptr) {
		if several, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT); err == nil && several == 0 {
			return // later servers get the same socket, such as one from systemd
		}
		failed = os.NewSyscallError("setsockopt", unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &program))
	})
	if err != nil {
		return err
	}
	return failed
}
