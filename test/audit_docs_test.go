package test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/docs"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestAuditDocs verifies what a running process wrote to a sink, as docs/audit.md shows it; and
// that a reload and another start go on where it was.
func TestAuditDocs(t *testing.T) {
	t.Parallel()
	needs(t, "bash")
	dir := t.TempDir()
	log := filepath.Join(dir, "audit.log")
	g := start(t, config{store: embedded(t), upstream: newUpstream(t).addr, app: []string{"audit_sink file " + log}})
	lines := func() int {
		text, _ := os.ReadFile(log)
		return bytes.Count(text, []byte("\n"))
	}
	operator := g.operator(t, tenantA, "admin")
	hookgatetest.Eventually(t, "the sink follows", func() bool {
		operator.mintCallback("JIRA")
		return lines() > 0
	})
	n := lines()
	g.Reload(reloaded)
	operator.mintCallback("JIRA")
	hookgatetest.Eventually(t, "it goes on after a reload", func() bool { return lines() > n })

	if err := os.Symlink(hookgatetest.Binary(), filepath.Join(dir, "hookgate")); err != nil {
		t.Fatal(err)
	}
	script := strings.ReplaceAll(docs.Script(docs.ToRun(t, "..", "docs/audit.md", "sh")), "/var/log/hookgate/audit.log", log)
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir}
	stdout, stderr, code := hookgatetest.Run(t, cmd)
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	words := strings.Fields(stdout)
	if own, last := words[len(words)-3], words[len(words)-1]; own != last || len(last) != 64 || !strings.Contains(stdout, last) {
		t.Errorf("of the last line:\n%s", stdout)
	}

	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(log, bytes.Replace(text, []byte(`"action":"mint"`), []byte(`"action":"none"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr, code = hookgatetest.Run(t, hookgatetest.Command(dir, "audit", "verify", log))
	if code != 1 || !strings.Contains(stderr, "line 1: ") {
		t.Errorf("a changed line: exit code %d, %s", code, stderr)
	}
}
