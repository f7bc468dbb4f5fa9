package test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/store/redistest"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestCheckServers: what a configuration lacks to stop and reload as it should.
func TestCheckServers(t *testing.T) {
	t.Parallel()
	const version = "\tmatcher 4\n"
	const all = "admin off\n\tpersist_config off\n\tgrace_period 10s\n\tservers {\n\t\tlistener_wrappers {\n\t\t\thookgate\n\t\t\ttls\n\t\t}\n\t}\n\tlog default {\n\t\tformat hookgate\n\t}\n"
	for name, test := range map[string]struct {
		without string
		warning string // "": none
	}{
		"all":               {"", ""},
		"admin off":         {"admin off", "admin"},
		"persist_config":    {"persist_config off", "persistence of the configuration"},
		"grace_period":      {"grace_period 10s", "stop"},
		"matcher":           {version, "matcher"},
		"listener_wrappers": {"listener_wrappers {\n\t\t\thookgate\n\t\t\ttls\n\t\t}", "reload"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			config := "{\n\t" + all + "\thookgate {\n\t\tredis embedded \"" + dir + "/data\"\n\t}\n}\nhttp://127.0.0.1:1 {\n\thookgate {\n" + version + "\t}\n\thookgate_proxy 127.0.0.1:4018\n}\n"
			path := hookgatetest.Write(t, dir, strings.Replace(config, test.without, "", 1))
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

// TestCheckWithoutRedis: a Redis that does not answer is said to be none, by the log and
// by check.
func TestCheckWithoutRedis(t *testing.T) {
	t.Parallel()
	lost := launch(t, config{store: store{words: "redis://127.0.0.1:1"}})
	hookgatetest.Eventually(t, "the log says what it means", func() bool {
		return strings.Contains(lost.Output.String(), "cannot load the credentials from Redis; until that is done every decision is 503")
	})
	stdout, stderr, code := hookgatetest.Run(t, hookgatetest.Command(lost.dir, "check", "--config", lost.caddyfile()))
	if code != 1 || !strings.Contains(stdout, "127.0.0.1:1: connect: connection refused") {
		t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
	}
}

// TestServerTooOld: the process ends with the reason, and check tells it, too.
func TestServerTooOld(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := hookgatetest.Write(t, dir, "{\n\tadmin off\n\tlog default {\n\t\tformat hookgate\n\t}\n\thookgate {\n\t\tredis "+redistest.StartClaiming(t, "6.2.16")+"\n\t}\n}\n")
	for _, command := range []string{"run", "check"} {
		stdout, stderr, code := hookgatetest.Run(t, hookgatetest.Command(dir, command, "--config", path))
		if code != 1 || command == "run" && !strings.Contains(stderr, "Redis 6.2.16, and Hookgate needs Redis 7.0, Valkey 8.0 or later") {
			t.Errorf("%s: exit code %d:\n%s%s", command, code, stdout, stderr)
		}
	}
}

// TestRedisThatIsACache is set up as the Valkey of Matcher's chart is: check calls that a
// problem, and the log of a process that starts with it warns in one line.
func TestRedisThatIsACache(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: onRedis(t, redistest.WithArgs("--appendonly", "no", "--save", "", "--maxmemory", "640mb", "--maxmemory-policy", "allkeys-lru"))})
	warning := regexp.MustCompile(`(?m)^.*"level":"warn".*"logger":"hookgate".*this Redis will lose credentials.*$`)
	hookgatetest.Eventually(t, "the log warns", func() bool { return warning.MatchString(g.Output.String()) })
	stdout, stderr, code := hookgatetest.Run(t, hookgatetest.Command(g.dir, "check", "--config", g.caddyfile()))
	if code != 1 {
		t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
	}
	for _, reason := range []string{"persistence", "eviction"} {
		if !regexp.MustCompile(`(?m)^problem +` + reason + ` `).MatchString(stdout) {
			t.Errorf("check says no problem with %s:\n%s", reason, stdout)
		}
	}
	lines := warning.FindAllString(g.Output.String(), -1)
	if len(lines) != 1 || !strings.Contains(lines[0], "persistence off") || !strings.Contains(lines[0], "eviction allkeys-lru") {
		t.Errorf("the log warns %q", lines)
	}
	if code := g.stop(); code != 0 {
		t.Errorf("it ends with %d", code)
	}
}
