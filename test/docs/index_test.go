package docs

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// index is the page from which a reader finds all others.
const index = "docs/README.md"

// entries are the lines of an index that lead to a page, by that page.
func entries(from, text string) map[string]string {
	found := make(map[string]string)
	for _, line := range regexp.MustCompile(`(?m)^(?:- |\| )\[[^\]]+\]\(([^)#]+)[^)]*\).*$`).FindAllStringSubmatch(text, -1) {
		found[path.Join(path.Dir(from), line[1])] = line[0]
	}
	return found
}

// TestEveryPageIsInTheIndex: every page of docs/ and of deploy/ is in docs/README.md, in one
// line that says what question it answers, or in the README.md of its own folder.
func TestEveryPageIsInTheIndex(t *testing.T) {
	all := pages(t)
	listed := entries(index, all[index])
	for page := range all {
		switch {
		case page == index, !strings.HasPrefix(page, "docs/") && !strings.HasPrefix(page, "deploy/"):
			continue
		case path.Dir(page) != "docs" && path.Base(page) != "README.md":
			if folder := path.Join(path.Dir(page), "README.md"); entries(folder, all[folder])[page] == "" {
				t.Errorf("%s does not have %s", folder, page)
			}
		case !strings.HasSuffix(listed[page], "?"):
			t.Errorf("%s has no line for %s that ends in a question", index, page)
		}
	}
	var sections []string
	for _, heading := range regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(all[index], -1) {
		sections = append(sections, heading[1])
	}
	if want := []string{"Install", "Try", "Deploy", "Operate", "Look up", "Change"}; !slices.Equal(sections, want) {
		t.Errorf("the index has the sections %q, want %q", sections, want)
	}
	if !strings.Contains(all["README.md"], "]("+index+")") {
		t.Errorf("README.md does not link to %s", index)
	}
}

func TestEntries(t *testing.T) {
	got := entries(index, "- [A](a.md): why?\n- [B](../deploy/README.md#b): how?\nText with [C](c.md).\n| [D](decisions/d.md) | so |\n")
	if len(got) != 3 || got["docs/a.md"] != "- [A](a.md): why?" || got["deploy/README.md"] == "" || got["docs/decisions/d.md"] == "" {
		t.Errorf("%q", got)
	}
}

// TestGlossary: the words are in the order of the alphabet, each is said in two sentences
// at most, and other pages link to the glossary.
func TestGlossary(t *testing.T) {
	const page = "docs/glossary.md"
	all := pages(t)
	var words []string
	for _, entry := range strings.Split(all[page], "\n### ")[1:] {
		word, text, _ := strings.Cut(entry, "\n")
		words = append(words, word)
		text = regexp.MustCompile(`\]\([^)]*\)`).ReplaceAllString(text, "]")
		if n := len(regexp.MustCompile(`\w\W{0,2}[.!?](?:\s|$)`).FindAllString(text, -1)); n < 1 || n > 2 {
			t.Errorf("%s is said in %d sentences", word, n)
		}
	}
	if len(words) < 20 || !slices.IsSortedFunc(words, func(a, b string) int {
		return cmp.Compare(strings.ToLower(a), strings.ToLower(b))
	}) {
		t.Errorf("%d words: %q", len(words), words)
	}
	linked := 0
	for other, text := range all {
		if other != page && strings.Contains(text, "glossary.md#") {
			linked++
		}
	}
	if linked < 5 {
		t.Errorf("%d pages link to a word of %s", linked, page)
	}
}

// TestEverySecretIsRotated: docs/rotate.md says of every word of the configuration that
// takes a secret how that is replaced.
func TestEverySecretIsRotated(t *testing.T) {
	list := first(t, Read(t, root, "caddymodule/app/reload.go"), `(?s)var secretWords = map\[string\]int\{(.*?)\n\}`)
	page, configuration := Read(t, root, "docs/rotate.md"), ""
	for _, part := range []string{"configuration", "configuration-guard", "configuration-admin"} {
		configuration += Read(t, root, "docs/"+part+".md")
	}
	documented := 0
	for _, word := range regexp.MustCompile(`"(\w+)":`).FindAllStringSubmatch(list, -1) {
		if !regexp.MustCompile("(?m)^\\| `" + word[1] + "[ `]").MatchString(configuration) {
			continue // Caddy's own
		}
		documented++
		if !strings.Contains(page, "`"+word[1]+"`") {
			t.Errorf("docs/rotate.md does not have %s", word[1])
		}
	}
	if documented < 5 {
		t.Errorf("%d words take secrets", documented)
	}
}

// TestPagesAreShort: a page that grows longer is split by what a reader wants of it. The
// lists of vendors are generated, and nobody reads them from the beginning to the end.
func TestPagesAreShort(t *testing.T) {
	for page, text := range pages(t) {
		generated := strings.HasPrefix(page, "docs/vendors-")
		if n := strings.Count(text, "\n"); n > 420 && !generated {
			t.Errorf("%s has %d lines", page, n)
		}
	}
}
