// Package disktest makes file systems for tests of a full or read-only one.
package disktest

import (
	"os"
	"syscall"
	"testing"
)

// Small mounts an empty file system for a test, of a size as tmpfs takes it ("4m"), and
// returns its directory. Where none can be mounted the test is skipped, or fails with
// HOOKGATE_REQUIRE_MOUNT.
func Small(t testing.TB, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("hookgate-test", dir, "tmpfs", 0, "size="+size); err != nil {
		if os.Getenv("HOOKGATE_REQUIRE_MOUNT") != "" {
			t.Fatal(err)
		}
		t.Skipf("a file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}
