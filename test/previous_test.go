package test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// previousCommit is the release before this one: the last state in which no credential had
// a proof of its own. docs/upgrade.md promises what is tested with it.
const previousCommit = "5818b9fb50c46377ed7d310900324dec3ece425e"

// previousEnv names a binary of previousCommit, to use instead of building one.
const previousEnv = "HOOKGATE_PREVIOUS_BINARY"

// errNoHistory: this is no clone with all of its history.
var errNoHistory = errors.New("the previous release is not in this clone; a shallow one gets it by git fetch --unshallow")

// previousRelease returns the path of that release's binary, built from the history of this
// repository.
func previousRelease(t *testing.T) string {
	t.Helper()
	if !express {
		t.Skip("that release has no word for the express lane")
	}
	path, err := buildPrevious()
	switch {
	case errors.Is(err, errNoHistory) && os.Getenv("HOOKGATE_REQUIRE_HISTORY") == "":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	return path
}

var buildPrevious = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(previousEnv); path != "" {
		return filepath.Abs(path)
	}
	git := func(args ...string) ([]byte, error) {
		out, err := exec.Command("git", append([]string{"-C", ".."}, args...)...).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("git %s: %w\n%s", args[0], err, out)
		}
		return out, nil
	}
	if _, err := git("cat-file", "-e", previousCommit+"^{commit}"); err != nil {
		return "", fmt.Errorf("%w: %w", errNoHistory, err)
	}
	source, binary := filepath.Join(shared, "previous"), filepath.Join(shared, "hookgate-previous")
	if err := os.Mkdir(source, 0o755); err != nil {
		return "", err
	}
	archive := filepath.Join(shared, "previous.tar")
	if _, err := git("archive", "--output", archive, previousCommit); err != nil {
		return "", err
	}
	for _, command := range [][]string{
		{"tar", "-x", "-C", source, "-f", archive},
		{"make", "--no-print-directory", "-C", source, "build", "BIN=" + binary, "VERSION=v0.0.0-previous"},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
	}
	return binary, nil
})
