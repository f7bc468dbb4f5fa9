package process

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
)

var takenPorts sync.Map

// FreePort returns a port of 127.0.0.1 that nobody listens on, and none twice. It is
// below those that the kernel gives to outgoing connections: a process that is started
// again finds it free again.
func FreePort() (int, error) {
	for range 1000 {
		port := 10_000 + rand.IntN(20_000)
		listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			continue
		}
		listener.Close()
		if _, taken := takenPorts.LoadOrStore(port, true); !taken {
			return port, nil
		}
	}
	return 0, errors.New("no free port")
}
