package test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestCheckLoggers: a logger with an encoder of its own prints tokens, and so is a
// problem; check says which one it is.
func TestCheckLoggers(t *testing.T) {
	t.Parallel()
	const sites = "\n\thookgate {\n\t\tredis embedded DIR\n\t}\n}\nhttp://127.0.0.1:1 {\n\thookgate\n}\n"
	const ours, theirs = "log default {\n\t\tformat hookgate\n\t}", "log default {\n\t\tformat json\n\t}"
	for name, test := range map[string]struct {
		text     string
		problems []string
	}{
		"ours":              {"{\n\t" + ours + sites, nil},
		"no default":        {"{" + sites, []string{`"default"`}},
		"another encoder":   {"{\n\t" + theirs + sites, []string{`"default"`}},
		"a site of its own": {"{\n\t" + ours + sites + "http://127.0.0.1:2 {\n\tlog {\n\t\tformat console\n\t}\n}\n", []string{`"log0"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := hookgatetest.Write(t, dir, strings.Replace(test.text, "DIR", `"`+dir+`/data"`, 1))
			stdout, stderr, code := hookgatetest.Run(t, hookgatetest.Command(dir, "check", "--config", path, "--output", "json"))
			var found struct {
				Findings []struct{ Check, Severity, Detail string }
			}
			if err := json.Unmarshal([]byte(stdout), &found); err != nil {
				t.Fatalf("%v: %s%s", err, stdout, stderr)
			}
			var problems []string
			for _, f := range found.Findings {
				if f.Check == "loggers" && f.Severity == "problem" {
					problems = append(problems, f.Detail)
				}
			}
			if len(problems) != len(test.problems) || code != min(len(problems), 1) {
				t.Fatalf("exit code %d, %q", code, problems)
			}
			for i, want := range test.problems {
				if !strings.HasPrefix(problems[i], want) {
					t.Errorf("%s, want %s", problems[i], want)
				}
			}
		})
	}
}

// TestCheckServers: what a configuration lacks to stop and reload as it should.
func TestCheckServers(t *testing.T) {
	t.Parallel()
	const all = "admin off\n\tpersist_config off\n\tgrace_period 10s\n\tservers {\n\t\tlistener_wrappers {\n\t\t\thookgate\n\t\t\ttls\n\t\t}\n\t}\n\tlog default {\n\t\tformat hookgate\n\t}\n"
	for name, test := range map[string]struct {
		without string
		warning string // "": none
	}{
		"all":               {"", ""},
		"admin off":         {"admin off", "admin"},
		"persist_config":    {"persist_config off", "persistence of the configuration"},
		"grace_period":      {"grace_period 10s", "stop"},
		"listener_wrappers": {"listener_wrappers {\n\t\t\thookgate\n\t\t\ttls\n\t\t}", "reload"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			options := strings.Replace(all, test.without, "", 1)
			path := hookgatetest.Write(t, dir, "{\n\t"+options+"\thookgate {\n\t\tredis embedded \""+dir+"/data\"\n\t}\n}\nhttp://127.0.0.1:1 {\n\thookgate\n}\n")
			stdout, stderr, code := hookgatetest.Run(t, hookgatetest.Command(dir, "check", "--config", path))
			if code != 0 {
				t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
			}
			var warnings []string
			for line := range strings.Lines(stdout) {
				if rest, found := strings.CutPrefix(line, "warning"); found {
					warnings = append(warnings, strings.TrimSpace(rest))
				}
			}
			if test.warning == "" && len(warnings) > 0 || test.warning != "" && (len(warnings) != 1 || !strings.HasPrefix(warnings[0], test.warning+" ")) {
				t.Errorf("warnings %q, want %q", warnings, test.warning)
			}
		})
	}
}

// TestMistakesAreNamed: what is likely to be got wrong is answered with what to do.
func TestMistakesAreNamed(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: embedded(t)})
	nowhere := t.TempDir()
	env := func(cmd *exec.Cmd, more ...string) *exec.Cmd {
		cmd.Env = append(cmd.Env, more...)
		return cmd
	}
	for name, test := range map[string]struct {
		cmd  *exec.Cmd
		want string
		code int
	}{
		"check without a configuration": {hookgatetest.Command(nowhere, "check"), "--config", 1},
		"dump without a configuration":  {hookgatetest.Command(nowhere, "store", "dump", "file"), "--config", 1},
		"vendors' address": {env(hookgatetest.Command(nowhere, "credentials", "list", "--server", g.Vendors),
			"HOOKGATE_TOKEN="+g.operator(t, tenantA, "admin").jwt), "is --server the address of the admin API?", 1},
		"short secret": {env(hookgatetest.Command(nowhere, "operator-token", "--tenant", tenantA, "--role", "admin", "--secret-env", "SHORT"),
			"SHORT=short"), "RFC 7518 wants 32 bytes", 0},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := hookgatetest.Run(t, test.cmd)
			if code != test.code || !strings.Contains(stderr, test.want) {
				t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
			}
		})
	}
	t.Run("Redis that does not answer", func(t *testing.T) {
		c := config{store: store{words: "redis://127.0.0.1:1"}}
		lost := launch(t, c)
		hookgatetest.Eventually(t, "the log says what it means", func() bool {
			return strings.Contains(lost.Output.String(), "cannot load the credentials from Redis; until that is done every decision is 503")
		})
		stdout, stderr, code := hookgatetest.Run(t, hookgatetest.Command(lost.dir, "check", "--config", lost.caddyfile()))
		if code != 1 || !strings.Contains(stdout, "127.0.0.1:1: connect: connection refused") {
			t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
		}
	})
	t.Run("a database that is none", func(t *testing.T) {
		path := hookgatetest.Write(t, t.TempDir(), config{store: store{words: "redis://user:hidden@127.0.0.1:1/name"}}.text(t, g.ports))
		stdout, stderr, code := hookgatetest.Run(t, hookgatetest.Command(nowhere, "validate", "--config", path))
		if code != 1 || !strings.Contains(stderr, "/database number") || strings.Contains(stdout+stderr, "hidden") {
			t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
		}
	})
}
