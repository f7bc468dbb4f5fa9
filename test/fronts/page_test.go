package fronts

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/docs"
)

// The pages about what stands in front: what all have to be told, what is run here, and
// what is not.
const (
	overview = "docs/ingress.md"
	examples = "docs/ingress-proxies.md"
	services = "docs/ingress-services.md"
)

// block is a fenced block of these pages. Its fence is ~~~, and what follows says the
// language, and the name of the front that runs it or "not-run".
var block = regexp.MustCompile(`(?ms)^~~~(\w+) ([\w-]+)\n(.*?)^~~~$`)

// snippet returns the block of that name.
func snippet(t *testing.T, name string) string {
	t.Helper()
	for _, page := range []string{overview, examples} {
		for _, found := range block.FindAllStringSubmatch(docs.Read(t, root, page), -1) {
			if found[2] == name {
				return found[3]
			}
		}
	}
	t.Fatalf("no page has a block %s", name)
	return ""
}

// TestEverySnippetIsRun: every block is run by a front, but those of the page that says
// that none of its blocks is.
func TestEverySnippetIsRun(t *testing.T) {
	run := []string{"hookgate-readyz", "hookgate-client-cert", "varnish-arguments"}
	for _, f := range append(slices.Clone(fronts), passing...) {
		run = append(run, f.name, f.side())
	}
	for _, page := range []string{overview, examples, services} {
		text := docs.Read(t, root, page)
		found := block.FindAllStringSubmatch(text, -1)
		if fences := strings.Count("\n"+text, "\n~~~"); fences != 2*len(found) || fences == 0 {
			t.Errorf("%s: %d fences, %d named blocks", page, fences, len(found))
		}
		for _, name := range found {
			if page != services && !slices.Contains(run, name[2]) || page == services && name[2] != "not-run" {
				t.Errorf("%s: who runs %s?", page, name[2])
			}
		}
	}
}

// TestEveryFrontIsOnThePage: the overview says of every front that a test runs it.
func TestEveryFrontIsOnThePage(t *testing.T) {
	text := docs.Read(t, root, overview)
	for _, f := range fronts {
		if !strings.Contains(text, "| ["+f.title+"](") {
			t.Errorf("the table has no row %q", f.title)
		}
	}
}
