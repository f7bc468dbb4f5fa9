package test

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/docs"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// typed runs what a page shows in an empty directory, with the binary in bin/ as `make
// build` leaves it.
func typed(t *testing.T, script string, environment ...string) (stdout, stderr string) {
	t.Helper()
	return typedIn(t, t.TempDir(), script, environment...)
}

// needs skips a test where a program is missing; where CI runs it, .ci/run has installed it.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skip(program + " is not installed")
		}
	}
}

// typedIn runs what a page shows in dir. What it leaves running is ended, as it is when a
// terminal is closed.
func typedIn(t *testing.T, dir, script string, environment ...string) (stdout, stderr string) {
	t.Helper()
	needs(t, "bash", "curl")
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(hookgatetest.Binary(), filepath.Join(dir, "bin", "hookgate")); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", "trap 'kill %1 2>/dev/null || true; wait' EXIT\n"+script)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, environment...)
	stdout, stderr, code := hookgatetest.Run(t, cmd)
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	return stdout, stderr
}

// here puts a gate in the place of what a page shows.
func (g *gate) here(script string) string {
	return strings.NewReplacer(
		"http://127.0.0.1:8080", g.Vendors, "https://hooks.example.com", g.Vendors, "http://127.0.0.1:8081", g.Admin,
	).Replace(script)
}

// TestReadme does what README.md shows, in its order; as the operator's JWT it takes
// the one that the README says how to make.
func TestReadme(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr})
	var token string
	var rest []docs.Block
	for _, b := range docs.ToRun(t, "..", "README.md", "sh") {
		if strings.HasPrefix(b.Text, "hookgate operator-token ") {
			token, _ = typed(t, `export PATH="$PWD/bin:$PATH"`+"\n"+b.Text, "AUTH_JWT_SECRET="+hookgatetest.JWTSecret)
		} else {
			rest = append(rest, b)
		}
	}
	script := docs.Script(rest)
	printed := regexp.MustCompile(`(?m)^OPERATOR=.*$`)
	if n := len(printed.FindAllString(script, -1)); n != 1 || token == "" {
		t.Fatalf("OPERATOR is set %d times, and made: %q", n, token)
	}
	script = printed.ReplaceAllLiteralString(g.here(script), "OPERATOR="+strings.TrimSpace(token))
	stdout, stderr := typed(t, script+"\necho \"token $TOKEN\"\n")

	for _, want := range []string{
		"HTTP/1.1 200 OK", "HTTP/1.1 401 Unauthorized", "HKG-1401", `"externalSystem":"JIRA"`, `"lastUsedAt":`,
		"The guard lets it through.",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s%s", want, stdout, stderr)
		}
	}
	got := u.one(t)
	if got.method != http.MethodPost || got.body != `{"status":"RESOLVED"}` {
		t.Errorf("Matcher gets %s", got)
	}
	wantHeader(t, got, "X-Tenant-Id", "11111111-1111-1111-1111-111111111111")
	// The last one that was minted.
	minted := stdout[strings.LastIndex(stdout, "\ntoken ")+len("\ntoken "):]
	if !ourToken.MatchString(minted) {
		t.Errorf("TOKEN=%q", minted)
	}
	wantStatus(t, g.use(t, credential{token: strings.TrimSpace(minted)}), http.StatusOK)
}
