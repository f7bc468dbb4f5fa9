package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/docs"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestCommandLineDocs does what docs/cli.md shows, in its order.
func TestCommandLineDocs(t *testing.T) {
	t.Parallel()
	needs(t, "bash")
	g := start(t, config{store: embedded(t), upstream: newUpstream(t).addr})
	dir := t.TempDir()
	if err := os.Symlink(hookgatetest.Binary(), filepath.Join(dir, "hookgate")); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(docs.Script(docs.ToRun(t, "..", "docs/cli.md", "sh")), "http://127.0.0.1:8081", g.Admin)
	text = strings.ReplaceAll(text, "http://127.0.0.1:8080", g.Vendors)
	for _, command := range []string{"mint", "list", "get", "rotate", "finish", "revoke", "verify", "import", "export"} {
		if !strings.Contains(text, "hookgate credentials "+command) {
			t.Errorf("the page does not show %s", command)
		}
	}
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", text)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir, "XDG_CONFIG_HOME=" + filepath.Join(dir, "config"), "AUTH_JWT_SECRET=" + hookgatetest.JWTSecret}
	stdout, stderr, code := hookgatetest.Run(t, cmd)
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	for _, want := range []string{"pluggy/pluggy-main", "The guard lets it through.", "line 1: created ", "the vendor was compromised"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	for _, file := range []string{"inventory.jsonl", "audit.jsonl", "hookgate.bash", "pluggy.token", "jira.token"} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
}
