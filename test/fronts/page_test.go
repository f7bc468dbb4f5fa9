package fronts

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/docs"
)

const page = "docs/in-front.md"

// block is a fenced block of the page. Its fence is ~~~, and what follows says the
// language, and the name of the front that runs it or "not-run".
var block = regexp.MustCompile(`(?ms)^~~~(\w+) ([\w-]+)\n(.*?)^~~~$`)

// snippet returns the block of that name.
func snippet(t *testing.T, name string) string {
	t.Helper()
	for _, found := range block.FindAllStringSubmatch(docs.Read(t, root, page), -1) {
		if found[2] == name {
			return found[3]
		}
	}
	t.Fatalf("%s has no block %s", page, name)
	return ""
}

// TestEverySnippetIsRun: every block of the page is run by a front, or says that it is not.
func TestEverySnippetIsRun(t *testing.T) {
	text := docs.Read(t, root, page)
	found := block.FindAllStringSubmatch(text, -1)
	if fences := strings.Count("\n"+text, "\n~~~"); fences != 2*len(found) {
		t.Errorf("%d fences, %d named blocks", fences, len(found))
	}
	run := []string{"hookgate-readyz", "hookgate-client-cert", "varnish-arguments"}
	for _, f := range append(slices.Clone(fronts), passing...) {
		run = append(run, f.name, f.side())
	}
	for _, name := range found {
		if !slices.Contains(run, name[2]) && name[2] != "not-run" {
			t.Errorf("nobody runs %s", name[2])
		}
	}
}

// TestEveryFrontIsOnThePage: the page says of every front that a test runs it.
func TestEveryFrontIsOnThePage(t *testing.T) {
	text := docs.Read(t, root, page)
	for _, f := range fronts {
		if !strings.Contains(text, "| "+f.title+" |") {
			t.Errorf("the table has no row %q", f.title)
		}
	}
}
