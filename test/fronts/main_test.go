package fronts

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// requireEnv, set to 1, makes a missing proxy fail its test instead of skipping it.
const requireEnv = "HOOKGATE_REQUIRE_FRONTS"

// root of the repository.
const root = "../.."

func TestMain(m *testing.M) { hookgatetest.Main(m) }

// program returns the path of a proxy, which Debian keeps out of the PATH of users.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	missing(t, name+" is not installed: make fronts-deps installs it")
	return ""
}

// tool returns the path of what make fronts-tools leaves in testdata.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		missing(t, name+" is not there: make fronts-tools makes it")
	}
	return path
}

// missing ends a test that lacks what it needs.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv(requireEnv) == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}
