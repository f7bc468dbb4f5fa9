package test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestDataSetCommands: a backup is taken of a running server's data set, Redis is
// emptied and the backup restored, and then emptied for good. The server runs all the
// while, and takes what it is told to take.
func TestDataSetCommands(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	s := onRedis(t)
	g := start(t, config{store: s, upstream: u.addr, app: staleness})
	admin := g.operator(t, tenantA, "admin")
	c, revoked := admin.mintCallback("JIRA"), admin.mintCallback("")
	admin.revoke(revoked)
	rdb := s.redis.Client()
	run := func(code int, args ...string) string {
		t.Helper()
		stdout, stderr, got := hookgatetest.Run(t, hookgatetest.Command(g.dir, append(args, "--config", g.caddyfile())...))
		if got != code {
			t.Fatalf("%v: exit code %d, want %d:\n%s%s", args, got, code, stdout, stderr)
		}
		return stdout + stderr
	}
	empty := func() {
		t.Helper()
		if err := rdb.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if r := g.AwaitReady(http.StatusServiceUnavailable); r.Checks.Keyring.Status != "stale" {
			t.Errorf("%+v", r)
		}
		wantUndecided(t, g.use(t, c))
	}

	file := filepath.Join(t.TempDir(), "dump")
	if said := run(0, "store", "dump", file); !strings.Contains(said, "2 credentials written") {
		t.Errorf("dump: %s", said)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	canaries{c.token: "callback token", revoked.token: "revoked token"}.search(t, "the dump", string(data))
	run(1, "store", "restore", file) // there are credentials

	empty()
	if said := run(0, "store", "restore", file); !strings.Contains(said, "2 credentials restored") {
		t.Errorf("restore: %s", said)
	}
	g.AwaitReady(http.StatusOK)
	wantStatus(t, g.use(t, c), http.StatusOK)
	wantProblem(t, g.use(t, revoked), http.StatusUnauthorized, "HKG-1401")
	if entry := admin.find(revoked); entry.RevokedAt == "" {
		t.Errorf("%+v", entry)
	}

	empty()
	run(2, "epoch", "new") // without the word
	wantUndecided(t, g.use(t, c))
	run(0, "epoch", "new", "--yes")
	g.AwaitReady(http.StatusOK)
	wantProblem(t, g.use(t, c), http.StatusUnauthorized, "HKG-1401")
	if got := admin.list(callbackCredentials); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	wantStatus(t, g.use(t, admin.mintCallback("new")), http.StatusOK)
}

// TestEmbeddedTakesNoReplicas: what cannot be kept is refused at the start.
func TestEmbeddedTakesNoReplicas(t *testing.T) {
	t.Parallel()
	text := config{store: embedded(t), app: []string{"wait_replicas 1"}}.text(t, hookgatetest.FreePorts(t))
	stdout, stderr, code := hookgatetest.Run(t, hookgatetest.Serve(t, t.TempDir(), text))
	if code == 0 || !strings.Contains(stdout+stderr, "no replicas to wait for") {
		t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
	}
}
