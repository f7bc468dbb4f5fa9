package handover

import (
	"net"
	"reflect"
)

// share returns a listener on the same socket as ln, which stays open when ln is
// closed, and makes the kernel send it all new connections. It returns nil where that
// is not needed: servers on a unix socket share it anyway.
func share(ln net.Listener) (net.Listener, error) {
	socket := tcpListener(ln)
	if socket == nil {
		return nil, nil
	}
	file, err := socket.File()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	shared, err := net.FileListener(file)
	if err != nil {
		return nil, err
	}
	if err := steer(shared.(*net.TCPListener)); err != nil {
		shared.Close()
		return nil, err
	}
	return shared, nil
}

// tcpListener looks for the socket under types that embed a listener, as Caddy's do.
func tcpListener(ln net.Listener) *net.TCPListener {
	for ln != nil {
		if socket, ok := ln.(*net.TCPListener); ok {
			return socket
		}
		ln = embedded[net.Listener](ln, "Listener")
	}
	return nil
}

// embedded returns what a struct holds under the name of an interface that it embeds, or
// nil.
func embedded[T any](outer any, name string) (inner T) {
	value := reflect.Indirect(reflect.ValueOf(outer))
	if value.Kind() != reflect.Struct {
		return inner
	}
	field := value.FieldByName(name)
	if !field.IsValid() || !field.CanInterface() {
		return inner
	}
	inner, _ = field.Interface().(T)
	return inner
}
