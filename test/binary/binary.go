// Package binary finds the hookgate that tests run as a process.
package binary

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Env names a hookgate binary to test instead of building one.
const Env = "HOOKGATE_BINARY"

// Find returns the path of the hookgate under test, which is built into dir unless
// there is a ready one.
func Find(dir string) (string, error) {
	if path := os.Getenv(Env); path != "" {
		return filepath.Abs(path)
	}
	path := filepath.Join(dir, "hookgate")
	build := exec.Command("go", "build", "-o", path, "github.com/hookgate/hookgate/cmd/hookgate")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("build hookgate: %w", err)
	}
	return path, nil
}
