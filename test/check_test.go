package test

import (
	"encoding/json"
	"strings"
	"testing"
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
			g := &gate{t: t, dir: t.TempDir()}
			g.write(strings.Replace(test.text, "DIR", `"`+g.dir+`/data"`, 1))
			stdout, stderr, code := execute(t, command(g.dir, "check", "--config", g.caddyfile(), "--output", "json"))
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
