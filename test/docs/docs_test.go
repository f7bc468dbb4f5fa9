package docs

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// pages returns every page that a reader may come to, by its path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	add := func(path string) {
		page, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		found[filepath.ToSlash(page)] = Read(t, root, page)
	}
	top, err := filepath.Glob(root + "/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range top {
		add(path)
	}
	for _, dir := range []string{"docs", "deploy"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if strings.HasSuffix(path, ".md") {
				add(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, page := range []string{"README.md", "docs/runbook.md", "deploy/kubernetes/README.md"} {
		if found[page] == "" {
			t.Fatalf("%s is not among %v", page, slices.Collect(maps.Keys(found)))
		}
	}
	return found
}

// languages are those of the blocks that are no commands. Tests look for them by the
// word: TestDocumentedConfigurations, the presets' TestDocumented, TestAPIDocs, test/manifests and
// the store's for the ACL.
var languages = []string{"caddyfile", "caddyfile-vendor", "http", "json", "yaml", "acl", "acl-sentinel"}

// complaint says what is wrong with a block: nobody runs it, say.
func complaint(b Block) string {
	at := fmt.Sprintf("%s:%d: ", b.Page, b.Line)
	switch {
	case b.Text == "":
		return at + "the block is empty, or does not end"
	case slices.Contains(languages, b.Language()):
		return ""
	case b.Language() != "sh" && b.Language() != "console":
		return at + fmt.Sprintf("nobody reads a block of %q", b.Info)
	case b.Reason() != "":
		return ""
	case RunBy[b.Page+" "+b.Info] == "":
		return at + "no test runs this, and it is not said why:\n" + b.Text
	case b.Indent != "" && b.Page != "docs/runbook.md" && b.Page != "docs/rotate.md":
		return at + "the test of this page does not see an indented block"
	}
	return ""
}

// TestEveryBlockIsRun: what a reader is told to type is run by a test, or it is said
// why it cannot be.
func TestEveryBlockIsRun(t *testing.T) {
	excused, run := make(map[string]bool), make(map[string]bool)
	for page, text := range pages(t) {
		for _, b := range Blocks(page, text) {
			if wrong := complaint(b); wrong != "" {
				t.Error(wrong)
			}
			for beginning := range NotRun {
				for _, command := range b.Commands() {
					excused[beginning] = excused[beginning] || strings.HasPrefix(command+" ", beginning)
				}
			}
			run[b.Page+" "+b.Info] = run[b.Page+" "+b.Info] || b.Reason() == ""
		}
	}
	for beginning := range NotRun {
		if !excused[beginning] {
			t.Errorf("no page has %q any more", beginning)
		}
	}
	for blocks, test := range RunBy {
		if !run[blocks] {
			t.Errorf("there are no blocks of %s any more", blocks)
		}
		page, _, _ := strings.Cut(blocks, " ")
		if !reads(t, test, page) {
			t.Errorf("there is no %s that reads %s", test, page)
		}
	}
}

// reads reports whether there is a test of that name, in a file that names the page.
func reads(t *testing.T, test, page string) bool {
	t.Helper()
	for _, pattern := range []string{"../*_test.go", "../deploy/*_test.go", "../../tools/release/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "\nfunc "+test+"(t *testing.T) {") && strings.Contains(string(text), page+`"`) {
				return true
			}
		}
	}
	return false
}

func TestComplaints(t *testing.T) {
	for _, test := range []struct{ page, text, want string }{
		{"docs/cli.md", "```sh\nhookgate version\n```\n", ""},
		{"docs/runbook.md", "1. So:\n\n   ```sh\n   hookgate version\n   ```\n", ""},
		{"docs/errors.md", "```console\n$ make run ARGS='--listen :1'\nmake: nothing to be done\n```\n", ""},
		{"docs/errors.md", "Text.\n\n```sh\nhookgate version\n```\n", "docs/errors.md:3: no test runs this"},
		{"docs/errors.md", "```sh\nmake run\nrm -r data\n```\n", "no test runs this"},
		{"docs/errors.md", "```sh\nmake runaway\n```\n", "no test runs this"},
		{"docs/cli.md", "```sh elsewhere\nhookgate version\n```\n", "no test runs this"},
		{"docs/cli.md", "```console\n$ hookgate version\n```\n", "no test runs this"},
		{"docs/cli.md", "- So:\n  ```sh\n  hookgate version\n  ```\n", "does not see an indented block"},
		{"docs/cli.md", "```bash\nhookgate version\n```\n", `nobody reads a block of "bash"`},
		{"docs/cli.md", "```\nhookgate version\n```\n", `nobody reads a block of ""`},
		{"docs/cli.md", "```sh\nhookgate version\n", "does not end"},
	} {
		blocks := Blocks(test.page, test.text)
		if len(blocks) != 1 {
			t.Fatalf("%d blocks in %q", len(blocks), test.text)
		}
		if got := complaint(blocks[0]); !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%q of %s: %q, want %q", test.text, test.page, got, test.want)
		}
	}
}

// TestMakeTargetsExist: what the pages say of make is in the Makefile.
func TestMakeTargetsExist(t *testing.T) {
	makefile := Read(t, root, "Makefile")
	found := 0
	for page, text := range pages(t) {
		for _, target := range regexp.MustCompile("(?m)(?:`|^|\\$ )make ([a-z][a-z-]*)").FindAllStringSubmatch(text, -1) {
			found++
			if !strings.Contains(makefile, "\n"+target[1]+":") {
				t.Errorf("%s: there is no make %s", page, target[1])
			}
		}
	}
	if found < 10 {
		t.Errorf("%d found", found)
	}
}

// TestMakeHelp: make help has a sentence about every target.
func TestMakeHelp(t *testing.T) {
	makefile := Read(t, root, "Makefile")
	out, err := exec.Command("make", "--no-print-directory", "-C", root, "help").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	help := string(out)
	variables := regexp.MustCompile(`(?m)^[a-z-]+: export .*\n`) // of one target
	targets := regexp.MustCompile(`(?m)^([a-z][a-z-]*):`).FindAllStringSubmatch(variables.ReplaceAllString(makefile, ""), -1)
	for _, target := range targets {
		if !regexp.MustCompile(`(?m)^` + target[1] + ` +[A-Z].*\.$`).MatchString(help) {
			t.Errorf("no sentence about %s in\n%s", target[1], help)
		}
	}
	if len(targets) < 20 || strings.Count(help, "\n") != len(targets) {
		t.Errorf("%d targets in\n%s", len(targets), help)
	}
}

// TestXcaddyIsWhatCIRuns: the README builds with xcaddy as .ci/run does.
func TestXcaddyIsWhatCIRuns(t *testing.T) {
	want := Read(t, root, "xcaddy.txt")
	if !slices.ContainsFunc(Blocks("README.md", Read(t, root, "README.md")), func(b Block) bool { return b.Info == "sh" && b.Text == want }) {
		t.Errorf("the README does not show %s", want)
	}
	if !strings.Contains(Read(t, root, ".ci/run"), "$(cat xcaddy.txt)") {
		t.Error("CI does not run xcaddy.txt")
	}
}
