package docs

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// first returns what a pattern captures at its first match.
func first(t *testing.T, text, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("there is no %s", pattern)
	}
	return found[1]
}

// TestVersions: go.mod says which Go and which Caddy; whatever else has to name one names
// the same.
func TestVersions(t *testing.T) {
	const caddyInModule = `(?m)^(?:require )?\s*github\.com/caddyserver/caddy/v2 (v\S+)`
	own := Read(t, root, "go.mod")
	language, caddy := first(t, own, `(?m)^go (\S+)$`), first(t, own, caddyInModule)
	release := first(t, language, `^(\d+\.\d+)`)

	texts := pages(t)
	for _, name := range []string{"xcaddy.txt", "Dockerfile", ".ci/run", ".github/workflows/ci.yml"} {
		texts[name] = Read(t, root, name)
	}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "node_modules" {
			return filepath.SkipDir
		}
		if err == nil && entry.Name() == "go.mod" {
			name, _ := filepath.Rel(root, path)
			texts[filepath.ToSlash(name)] = Read(t, root, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		pattern, want string
		least         int // how many there are at least
	}{
		{`(?m)^go (\d\S*)$`, language, 3},
		{caddyInModule, caddy, 2},
		{`xcaddy build (v\S+)`, caddy, 2},
		{`\bCaddy(?:\]\(\S+\))? (v2\.\d+\.\d+)`, caddy, 1},
		{`\bGo (\d+\.\d+) or later`, release, 3},
		{`\bgolang:(\d+\.\d+)\.\d+-`, release, 2},
		{`\bgolang:(\S+)`, first(t, texts["Dockerfile"], `\bgolang:(\S+)`), 2},
	} {
		found := 0
		for name, text := range texts {
			for _, version := range regexp.MustCompile(test.pattern).FindAllStringSubmatch(text, -1) {
				found++
				if version[1] != test.want {
					t.Errorf("%s has %q, not %s", name, strings.TrimSpace(version[0]), test.want)
				}
			}
		}
		if found < test.least {
			t.Errorf("%d of %s", found, test.pattern)
		}
	}
}

// TestWorkflowRunsCI: what the workflow does is in .ci/run.
func TestWorkflowRunsCI(t *testing.T) {
	if !strings.Contains(Read(t, root, ".github/workflows/ci.yml"), "- run: .ci/run\n") {
		t.Error("it does not run .ci/run")
	}
}
