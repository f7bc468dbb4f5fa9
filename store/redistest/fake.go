package redistest

import (
	"fmt"
	"testing"

	"github.com/alicebob/miniredis/v2/server"
)

// StartClaiming runs a server until the test ends that says in INFO that it is a Redis of
// a version, and knows nothing else. It returns its redis:// address.
func StartClaiming(t testing.TB, version string) string {
	t.Helper()
	s, err := server.NewServer("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	err = s.Register("INFO", func(c *server.Peer, _ string, _ []string) {
		c.WriteBulk(fmt.Sprintf("# Server\r\nredis_version:%s\r\nredis_mode:standalone\r\n", version))
	})
	if err != nil {
		t.Fatal(err)
	}
	return "redis://" + s.Addr().String()
}
