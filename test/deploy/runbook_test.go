package deploy

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/docs"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestRunbook does what docs/runbook.md shows, in its order; what it shows for another
// Redis is done to one.
func TestRunbook(t *testing.T) {
	t.Parallel()
	bash := tool(t, "bash")
	g := startService(t)
	leaked, old := g.mint(`{"kind": "callback"}`), g.mint(`{"kind": "callback", "label": "JIRA"}`)
	dir := t.TempDir()
	run := func(script, config string) string {
		t.Helper()
		script = strings.NewReplacer("/etc/hookgate/Caddyfile", config, "http://127.0.0.1:9090", g.Status).Replace(script)
		cmd := exec.Command(bash, "-euo", "pipefail", "-c", script)
		cmd.Dir = dir
		cmd.Env = slices.Concat(g.environment, []string{
			"PATH=" + filepath.Dir(hookgatetest.Binary()) + ":" + os.Getenv("PATH"), "HOOKGATE_SERVER=" + g.Admin, "HOOKGATE_TOKEN=" + g.operator(),
			// What the operator knows by then.
			"TOKEN=" + leaked.Token, "OLD=" + old.ID,
		})
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	blocks := func(info string) string { return docs.Script(docs.ToRun(t, root, "docs/runbook.md", info)) }
	out := run(blocks("sh"), g.config)
	for _, want := range []string{"Valid configuration", "leaked, ticket 4711", "grace"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	// It ended what it was about, and nothing else.
	for _, c := range []credential{leaked, old} {
		g.want(http.StatusOK, `"status":"revoked"`, http.MethodGet, g.Admin+"/v1/credentials/"+c.ID, "", "Authorization", "Bearer "+g.operator())
	}
	g.want(http.StatusOK, `"status":"active"`, http.MethodGet, g.Admin+"/v1/credentials?label=JIRA", "", "Authorization", "Bearer "+g.operator())

	another := newPlaces(t, startRedis(t), "127.0.0.1:9")
	config := filepath.Join(dir, "Caddyfile")
	write(t, config, another.local(t, read(t, serviceConfigPath)), 0o644)
	run(blocks("sh elsewhere"), config)
	cmd := exec.Command(hookgatetest.Binary(), "run", "--config", config, "--adapter", "caddyfile")
	cmd.Env = g.environment
	restored := startGate(t, another, cmd)
	restored.want(http.StatusOK, `"kind":"callback"`, http.MethodGet, restored.Admin+"/v1/credentials", "", "Authorization", "Bearer "+restored.operator())
}
