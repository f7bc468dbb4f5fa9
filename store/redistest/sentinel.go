package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// SentinelMaster is the name that a sentinel of StartSentinel knows its master by.
const SentinelMaster = "primary"

// StartSentinel runs a sentinel that alone decides on a failover, a second after its
// master went silent. Master and replicas run already.
func StartSentinel(t testing.TB, master *Server) *Server {
	t.Helper()
	s := prepare(t)
	s.sentinel = true
	// A sentinel writes its state into its configuration, so it has a file.
	config := fmt.Sprintf(`sentinel monitor %[1]s 127.0.0.1 %[2]d 1
sentinel down-after-milliseconds %[1]s 1000
sentinel failover-timeout %[1]s 3000
`, SentinelMaster, master.port)
	if err := os.WriteFile(s.sentinelConfig(), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	return s
}

func (s *Server) sentinelConfig() string { return filepath.Join(s.dir, "sentinel.conf") }
