package redisconn

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestSecondAddress: a Redis whose name has a silent address first is reached at the next
// one, within the time of a single dial.
func TestSecondAddress(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	before := lookup
	t.Cleanup(func() { lookup = before })
	lookup = func(context.Context, string, string) ([]netip.Addr, error) {
		// The first one is of a network for documentation: nobody answers there.
		return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("127.0.0.2")}, nil
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	begin := time.Now()
	conn, err := (Server{}).dial(false)(t.Context(), "tcp", net.JoinHostPort("redis.example.com", port))
	if err != nil {
		t.Fatalf("after %v: %v", time.Since(begin), err)
	}
	conn.Close()
}
