// Package hookgatetest runs the hookgate under test as a process: it builds it, starts
// it with a Caddyfile, waits until it is ready, and ends it.
package hookgatetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	// BinaryEnv names a hookgate binary to test instead of building one.
	BinaryEnv = "HOOKGATE_BINARY"
	// Version is what a binary that was built here calls itself.
	Version = "v1.2.3-test"
)

var binary string

// Binary returns the path of the hookgate under test.
func Binary() string { return binary }

// Main is what TestMain of a package calls: it builds hookgate as it is released, runs
// the tests and exits. What prepare sets up in a directory for all of them ends with
// them.
func Main(m *testing.M, prepare ...func(dir string) (end func(), err error)) {
	code, err := run(m, prepare)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M, prepare []func(string) (func(), error)) (int, error) {
	dir, err := os.MkdirTemp("", "hookgate-test")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if binary, err = find(dir); err != nil {
		return 0, err
	}
	for _, set := range prepare {
		end, err := set(dir)
		if err != nil {
			return 0, err
		}
		defer end()
	}
	return m.Run(), nil
}

// find builds the binary into dir unless there is a ready one.
func find(dir string) (string, error) {
	if path := os.Getenv(BinaryEnv); path != "" {
		return filepath.Abs(path)
	}
	// It is built in its own module, wherever that of the tests is, and not with the
	// versions that the tests need.
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/hookgate/hookgate").Output()
	if err != nil {
		return "", fmt.Errorf("find the module of hookgate: %w", err)
	}
	path := filepath.Join(dir, "hookgate")
	build := exec.Command("make", "--no-print-directory", "-C", strings.TrimSpace(string(root)), "build", "BIN="+path, "VERSION="+Version)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make build: %w\n%s", err, out)
	}
	return path, nil
}

// Command returns a call of the binary at home in dir, with JWTSecret in SecretEnv.
func Command(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	cmd.Env = append(Home(filepath.Join(dir, "home")), "PATH="+os.Getenv("PATH"), SecretEnv+"="+JWTSecret)
	return cmd
}

// Home returns the variables that make dir the home of a process.
func Home(dir string) []string {
	return []string{"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}
}

// Run runs a command to its end.
func Run(t testing.TB, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	bounded := exec.CommandContext(ctx, cmd.Path, cmd.Args[1:]...)
	bounded.Dir, bounded.Env, bounded.Stdin = cmd.Dir, cmd.Env, cmd.Stdin
	var out, errs bytes.Buffer
	bounded.Stdout, bounded.Stderr = &out, &errs
	err := bounded.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return out.String(), errs.String(), bounded.ProcessState.ExitCode()
}
