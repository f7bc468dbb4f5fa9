package test

import (
	"encoding/json"
	"os/exec"
	"regexp"
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

// shown is a credential as the API has it.
type shown struct {
	ID, Kind, Status, Label, Vendor, Connection, ClientID, Token string
	LastUsedAt, ExpiresAt, GraceUntil, SupersededBy, Supersedes  string
	Scopes, AllowedIPs                                           []string
	Metadata                                                     json.RawMessage
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

// one returns the only JSON object on standard output.
func one[T any](t testing.TB, r ran) T {
	t.Helper()
	values := lines[T](t, r)
	if len(values) != 1 {
		t.Fatalf("%q: %d lines", r.args, len(values))
	}
	return values[0]
}

// newest returns the credential that was made last.
func (o operator) newest(t testing.TB) shown {
	t.Helper()
	return one[shown](t, o.run(t, 0, "credentials", "list", "--limit", "1", "--output", "json"))
}

var ourToken = regexp.MustCompile(`^m(cb|wh)_[0-9A-Za-z]{49}\n$`)

// wantToken checks that a token stands alone on standard output, and returns it.
func (r ran) wantToken(t testing.TB) string {
	t.Helper()
	token := strings.TrimSuffix(r.stdout, "\n")
	if !ourToken.MatchString(r.stdout) || strings.Contains(r.stderr, token) || !strings.Contains(r.stderr, "id ") {
		t.Fatalf("%q: %q, %q", r.args, r.stdout, r.stderr)
	}
	return token
}

// wantCells checks that a table has a row with these cells, in this order.
func (r ran) wantCells(t testing.TB, cells ...string) {
	t.Helper()
	for line := range strings.Lines(r.stdout) {
		rest, all := line, true
		for _, cell := range cells {
			var found bool
			if _, rest, found = strings.Cut(rest, cell); !found {
				all = false
			}
		}
		if all {
			return
		}
	}
	t.Errorf("%q: no row with %q in\n%s", r.args, cells, r.stdout)
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
