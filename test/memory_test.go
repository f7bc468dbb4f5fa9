package test

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestIdleMemory: a process that waits takes no more memory of the machine than a sidecar
// may. Pages of its binary do not count: the kernel takes them back when it wants them.
func TestIdleMemory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /proc")
	}
	const limit = 30 << 10 // KiB
	g := start(t, config{store: embedded(t)})
	anonymous := 0
	defer func() { t.Logf("anonymous: %d KiB", anonymous) }()
	hookgatetest.Eventually(t, fmt.Sprintf("less than %d KiB is anonymous", limit), func() bool {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.Process.PID()))
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`RssAnon:\s+(\d+) kB`).FindSubmatch(status)
		if found == nil {
			t.Fatalf("no RssAnon in %s", status)
		}
		anonymous, err = strconv.Atoi(string(found[1]))
		return err == nil && anonymous < limit
	})
}
