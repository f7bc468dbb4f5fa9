package test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/docs"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestBackup does what docs/backup.md shows, in its order, to a Redis that is then emptied;
// and a restore means for credentials what the page says.
func TestBackup(t *testing.T) {
	t.Parallel()
	const page = "docs/backup.md"
	g := start(t, config{store: onRedis(t, syncing), upstream: newUpstream(t).addr})
	o := g.operator(t, tenantA, "admin")
	kept, gone, later := o.mintCallback("JIRA"), o.mintCallback("gone before"), o.mintCallback("gone later")
	o.revoke(gone)

	dir := t.TempDir()
	drill := []string{fmt.Sprint(hookgatetest.FreePort(t)), fmt.Sprint(hookgatetest.FreePort(t))}
	here := strings.NewReplacer("/etc/hookgate/Caddyfile", g.caddyfile(), "http://127.0.0.1:8081", g.Admin, ":18080", ":"+drill[0], ":18081", ":"+drill[1])
	for _, b := range docs.Blocks(page, docs.Read(t, "..", page)) {
		if b.Info == "caddyfile" {
			if err := os.WriteFile(filepath.Join(dir, "drill.caddyfile"), []byte(here.Replace(b.Text)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	run := func(script string) string {
		t.Helper()
		stdout, _ := typedIn(t, dir, `export PATH="$PWD/bin:$PATH"`+"\n"+here.Replace(script), "HOOKGATE_SERVER="+g.Admin, "HOOKGATE_TOKEN="+o.jwt,
			"AUTH_JWT_SECRET="+hookgatetest.JWTSecret, hookgatetest.SecretEnv+"="+hookgatetest.JWTSecret, "TOKEN="+kept.token)
		return stdout
	}
	out := run(docs.Script(docs.ToRun(t, "..", page, "sh")))
	if counts := regexp.MustCompile(`(?m)^\s*3$`).FindAllString(out, -1); len(counts) != 2 || !strings.Contains(out, "The guard lets it through.") {
		t.Errorf("the drill finds other credentials than there are:\n%s", out)
	}

	// What happens after the backup, and is in the audit log alone.
	o.revoke(later)
	minted := o.mintCallback("new")
	run("hookgate audit export --out audit-later.jsonl")
	if err := g.config.store.redis.Client().FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	restore := docs.ToRun(t, "..", page, "sh elsewhere")
	run(restore[0].Text)
	want := func(c credential, status int) {
		t.Helper()
		hookgatetest.Eventually(t, fmt.Sprintf("%s is answered %d", c.id, status), func() bool { return g.use(t, c).status == status })
	}
	want(later, http.StatusOK) // which is why there is a second block
	want(kept, http.StatusOK)
	want(gone, http.StatusUnauthorized)
	want(minted, http.StatusUnauthorized)
	run(restore[1].Text)
	want(later, http.StatusUnauthorized)
	want(kept, http.StatusOK)
}
