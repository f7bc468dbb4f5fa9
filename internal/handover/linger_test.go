//go:build linux

package handover

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestEarlyAnswerOfTheServerItself: net/http answers a header that is too large in the
// middle of it, before any handler could. The client reads that answer to its end, though
// it reads only when all is sent, and it is counted.
func TestEarlyAnswerOfTheServerItself(t *testing.T) {
	ln := listen(t, "127.0.0.1:0")
	raw, err := ln.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	// All is sent only if somebody reads it: the kernel keeps next to nothing.
	if err := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 32<<10) }); err != nil {
		t.Fatal(err)
	}
	wrapped, err := Wrap(ln)
	if err != nil {
		t.Fatal(err)
	}
	counted := make(chan struct{}, 1)
	wrapped.HeaderTooLarge = func() { counted <- struct{}{} }
	s := &http.Server{MaxHeaderBytes: 1 << 10, ConnState: ConnState}
	go s.Serve(wrapped)
	t.Cleanup(func() { s.Close() })
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.(*net.TCPConn).SetWriteBuffer(32 << 10)
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nX-Large: "+strings.Repeat("x", 1<<20)); err != nil {
		t.Fatalf("while sending: %v", err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 431 ") {
		t.Errorf("%q, %v", answer, err)
	}
	if len(counted) != 1 {
		t.Error("it was not counted once")
	}
}
