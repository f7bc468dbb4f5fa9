//go:build linux

package handover

import (
	"io"
	"net"
	"testing"
	"time"
)

// TestLingering: the client reads the end at once and can go on sending, but not for ever.
func TestLingering(t *testing.T) {
	ln := listen(t, "127.0.0.1:0")
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.SetDeadline(time.Now().Add(patience))
	served, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := &conn{Conn: served, listener: &Listener{address: new(address)}}
	if !Linger(ConnContext(t.Context(), c)) {
		t.Fatal("it cannot linger")
	}
	c.SetReadDeadline(time.Now().Add(patience))
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Fatal("the server waits for what is thrown away")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(client); err != nil || len(rest) > 0 {
		t.Fatalf("%q, %v", rest, err)
	}
	sent := 0
	for chunk := make([]byte, 64<<10); err == nil; {
		var n int
		n, err = client.Write(chunk)
		sent += n
	}
	if timeout, ok := err.(net.Error); sent < lingerBytes || ok && timeout.Timeout() {
		t.Errorf("after %d bytes: %v", sent, err)
	}
}
