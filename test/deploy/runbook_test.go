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

// TestRunbook does what docs/runbook.md shows, in its order.
func TestRunbook(t *testing.T) {
	t.Parallel()
	bash := tool(t, "bash")
	g := startService(t)
	leaked, other := g.mint(`{"kind": "callback"}`), g.mint(`{"kind": "callback"}`)
	script := strings.NewReplacer("/etc/hookgate/Caddyfile", g.config, "http://127.0.0.1:9090", g.Status).Replace(docs.Script(docs.ToRun(t, root, "docs/runbook.md", "sh")))
	cmd := exec.Command(bash, "-euo", "pipefail", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = slices.Concat(g.environment, []string{
		"PATH=" + filepath.Dir(hookgatetest.Binary()) + ":" + os.Getenv("PATH"), "HOOKGATE_SERVER=" + g.Admin, "HOOKGATE_TOKEN=" + g.operator(),
		"TOKEN=" + leaked.Token, // what the operator knows by then
	})
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"Valid configuration", "leaked, ticket 4711"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	// It ended what it was about, and nothing else.
	for id, status := range map[string]string{leaked.ID: "revoked", other.ID: "active"} {
		g.want(http.StatusOK, `"status":"`+status+`"`, http.MethodGet, g.Admin+"/v1/credentials/"+id, "", "Authorization", "Bearer "+g.operator())
	}
}
