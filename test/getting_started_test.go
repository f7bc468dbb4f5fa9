package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/store/redistest"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestGettingStarted does what docs/getting-started.md tells a newcomer to do.
func TestGettingStarted(t *testing.T) {
	t.Parallel()
	needs(t, "bash", "curl")
	page, err := os.ReadFile("../docs/getting-started.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(page), "redis://127.0.0.1:6379/0", redistest.Start(t).URL())
	for _, documented := range []string{"8080", "8081", "4018"} {
		text = strings.ReplaceAll(text, ":"+documented, fmt.Sprintf(":%d", hookgatetest.FreePort(t)))
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(hookgatetest.Binary(), filepath.Join(dir, "bin", "hookgate")); err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, block := range regexp.MustCompile("(?s)```(sh|caddyfile)\n(.*?)```").FindAllStringSubmatch(text, -1) {
		if block[1] == "sh" {
			script.WriteString(block[2])
		} else if err := os.WriteFile(filepath.Join(dir, "Caddyfile"), []byte(block[2]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Where a line fails the server must not be left behind; a terminal would end it.
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", "trap 'kill %1 2>/dev/null; wait' EXIT\n"+script.String())
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	stdout, stderr, code := hookgatetest.Run(t, cmd)
	if code != 0 {
		log, _ := os.ReadFile(filepath.Join(dir, "hookgate.log"))
		t.Fatalf("exit code %d\n%s%s%s", code, stdout, stderr, log)
	}
	for _, want := range []string{
		"Matcher: POST /v1/exceptions/7d4f/callback of tenant 11111111-1111-1111-1111-111111111111, from JIRA",
		"Matcher: POST /v1/discovery/webhooks/pluggy/mwh_", ", from pluggy", "HKG-1401", "pluggy/pluggy-main",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	if n := strings.Count(stdout, "HKG-1401"); n != 2 {
		t.Errorf("%d requests were refused, want 2:\n%s", n, stdout)
	}
}
