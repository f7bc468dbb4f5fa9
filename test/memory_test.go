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

// TestIdleMemory: a process that waits takes no more of the machine than a sidecar may.
// What it read of its binary to start is not counted for ever.
func TestIdleMemory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("start-up is forgotten on Linux alone")
	}
	const limit = 45 << 10 // KiB
	g := start(t, config{store: embedded(t)})
	resident := 0
	defer func() { t.Logf("resident: %d KiB", resident) }()
	hookgatetest.Eventually(t, fmt.Sprintf("less than %d KiB is resident", limit), func() bool {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.Process.PID()))
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
		if found == nil {
			t.Fatalf("no VmRSS in %s", status)
		}
		resident, err = strconv.Atoi(string(found[1]))
		return err == nil && resident < limit
	})
	// It is all there when it is needed again.
	wantProblem(t, g.use(t, g.operator(t, tenantA, "admin").mintCallback("")), 502, "HKG-1502")
}
