package test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// ran is what a command did.
type ran struct {
	args           []string
	stdout, stderr string
	code           int
}

// cli returns a call of the binary as the operator, who has the address and the JWT
// in the environment.
func (o operator) cli(args ...string) *exec.Cmd {
	cmd := hookgatetest.Command(o.g.dir, args...)
	cmd.Env = append(cmd.Env, "HOOKGATE_SERVER="+o.g.Admin, "HOOKGATE_TOKEN="+o.jwt)
	return cmd
}

// run runs a command as the operator, and expects an exit code.
func (o operator) run(t testing.TB, code int, args ...string) ran {
	t.Helper()
	return o.pipe(t, code, "", args...)
}

// pipe is run with something on standard input.
func (o operator) pipe(t testing.TB, code int, stdin string, args ...string) ran {
	t.Helper()
	cmd := o.cli(args...)
	cmd.Stdin = strings.NewReader(stdin)
	stdout, stderr, got := hookgatetest.Run(t, cmd)
	if got != code {
		t.Fatalf("%q: exit code %d, want %d\n%s%s", args, got, code, stdout, stderr)
	}
	return ran{args, stdout, stderr, got}
}

// lines returns the JSON objects on standard output, one a line.
func lines[T any](t testing.TB, r ran) (values []T) {
	t.Helper()
	for line := range strings.Lines(r.stdout) {
		var v T
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%q: %v: %s", r.args, err, line)
		}
		values = append(values, v)
	}
	return values
}

// wantError checks what standard error says, and that nothing else was said.
func (r ran) wantError(t testing.TB, wants ...string) {
	t.Helper()
	if r.stdout != "" || !strings.HasPrefix(r.stderr, "hookgate: ") {
		t.Errorf("%q: %q, %q", r.args, r.stdout, r.stderr)
	}
	for _, want := range wants {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("%q: %q is not in %s", r.args, want, r.stderr)
		}
	}
}
