// Package unread tells whether a client sent more than net/http read of its request.
//
// In HTTP/1.0 a body without Content-Length ends with the connection, and net/http takes
// it for none (RFC 9112 section 6.3 allows that of responses alone). What follows the
// header then stays where only net/http itself can look: in the buffer of the connection,
// or in the one byte that it reads ahead to learn that the client has left.
package unread

import (
	"bufio"
	"context"
	"net/http"
	"reflect"
	"sync"
	"time"
)

// Follows reports whether bytes have come behind the header of the request that w
// answers, at once or while it waits, which is until ctx ends at most: that of the request
// does when the client shuts its side. known is false where w is not of an HTTP/1 server of
// net/http as this package knows it.
func Follows(ctx context.Context, w http.ResponseWriter, wait time.Duration) (follows, known bool) {
	buffer, ahead := look(w)
	if buffer == nil {
		return false, false
	}
	if buffer.Buffered() > 0 {
		return true, true
	}
	for pause := time.Millisecond; ; pause *= 2 {
		if ahead() {
			return true, true
		}
		if pause = min(pause, wait); pause <= 0 {
			return false, true
		}
		select {
		case <-ctx.Done():
			return ahead(), true
		case <-time.After(pause):
			wait -= pause
		}
	}
}

// look returns the buffer of the connection behind w, and a function that reports whether
// a byte was read ahead; nil where they are not where they were.
func look(w http.ResponseWriter) (buffer *bufio.Reader, ahead func() bool) {
	for {
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = outer.Unwrap()
	}
	if reflect.TypeOf(w).String() != "*http.response" {
		return nil, nil
	}
	conn := field(reflect.ValueOf(w), "conn")
	bufr, reader := field(conn, "bufr"), field(conn, "r")
	mutex, hasByte := field(reader, "mu"), field(reader, "hasByte")
	if !bufr.IsValid() || bufr.Type() != reflect.TypeFor[*bufio.Reader]() || bufr.IsNil() ||
		!mutex.IsValid() || mutex.Type() != reflect.TypeFor[sync.Mutex]() || !hasByte.IsValid() || hasByte.Kind() != reflect.Bool {
		return nil, nil
	}
	locker := (*sync.Mutex)(mutex.Addr().UnsafePointer())
	return (*bufio.Reader)(bufr.UnsafePointer()), func() bool {
		locker.Lock()
		defer locker.Unlock()
		return hasByte.Bool()
	}
}

// field returns what a pointer to a struct holds under a name, or the zero Value.
func field(pointer reflect.Value, name string) reflect.Value {
	if pointer.Kind() != reflect.Pointer || pointer.IsNil() || pointer.Elem().Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return pointer.Elem().FieldByName(name)
}
