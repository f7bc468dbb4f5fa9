// Package deploy tests what deploy/ holds as far as it can be run without the
// machines it is for: with the real hookgatetest.Binary(), built as it is released.
package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

const root = "../.."

func TestMain(m *testing.M) {
	os.Unsetenv(hookgatetest.BinaryEnv) // it has to be one as it is released
	hookgatetest.Main(m)
}

// tool returns the path of a program that .ci/run installs.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	t.Skip(err)
	return ""
}

// output returns what a command prints; it has to succeed.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", filepath.Base(name), args, err, out)
	}
	return string(out)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func TestVersion(t *testing.T) {
	want := "hookgate " + hookgatetest.Version + ", caddy v2."
	for _, word := range []string{"version", "--version"} {
		if got := output(t, hookgatetest.Binary(), word); len(got) < len(want) || got[:len(want)] != want {
			t.Errorf("%s: %q", word, got)
		}
	}
}
