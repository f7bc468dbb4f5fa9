package app

import (
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// claimPatience bounds a connection to whoever holds a name.
const claimPatience = time.Second

// ofUs reports whether a process of our user, or of root, listens at a name. The kernel
// tells who called listen.
func ofUs(name string) bool {
	conn, err := net.DialTimeout("unix", name, claimPatience)
	if err != nil {
		return false // it does not say
	}
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return false
	}
	var peer *unix.Ucred
	if failed := raw.Control(func(fd uintptr) { peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); failed != nil || err != nil {
		return false
	}
	return peer.Uid == 0 || int(peer.Uid) == os.Geteuid()
}
