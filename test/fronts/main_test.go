package fronts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	hookgate "github.com/hookgate/hookgate/test/binary"
)

// requireEnv, set to 1, makes a missing proxy fail its test instead of skipping it.
const requireEnv = "HOOKGATE_REQUIRE_FRONTS"

// root of the repository.
const root = "../.."

// binary is the path of the hookgate under test; stock that of the Caddy in front.
var binary, stock string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hookgate-fronts")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if binary, err = hookgate.Find(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	stock = filepath.Join(dir, "caddy")
	return m.Run()
}

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

// missing ends a test that lacks what it needs.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv(requireEnv) == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}
