package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// anchors returns those that GitHub gives to the headings of a page.
func anchors(text string) map[string]bool {
	for _, b := range Blocks("", text) { // where # begins a comment
		text = strings.Replace(text, b.Text, "", 1)
	}
	found := make(map[string]bool)
	for _, heading := range regexp.MustCompile(`(?m)^#{1,6} +(.*?)\s*$`).FindAllStringSubmatch(text, -1) {
		kept := regexp.MustCompile(`[^\pL\pN _-]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		anchor := strings.ReplaceAll(kept, " ", "-")
		for n, first := 1, anchor; found[anchor]; n++ {
			anchor = fmt.Sprintf("%s-%d", first, n)
		}
		found[anchor] = true
	}
	return found
}

func TestAnchors(t *testing.T) {
	got := anchors("# The `hookgate` option\n\n```sh\n# a comment\n```\n\n## What's new, in 2.x\n\n### Redis\n\n### Redis\n")
	for _, want := range []string{"the-hookgate-option", "whats-new-in-2x", "redis", "redis-1"} {
		if !got[want] {
			t.Errorf("no %s in %v", want, got)
		}
	}
	if len(got) != 4 {
		t.Errorf("%v", got)
	}
}

// follow says where a link of a page does not lead.
func follow(from, link string, pages map[string]string) string {
	target, anchor, _ := strings.Cut(link, "#")
	to := path.Join(path.Dir(from), target)
	if target == "" {
		to = from
	}
	if _, err := os.Stat(filepath.Join(root, to)); err != nil {
		return fmt.Sprintf("%s links to %s, which is not there", from, to)
	}
	if anchor != "" && !anchors(pages[to])[anchor] {
		return fmt.Sprintf("%s has no section %s, which %s links to", to, anchor, from)
	}
	return ""
}

// TestLinks follows every link from page to page, also to a section.
func TestLinks(t *testing.T) {
	all := pages(t)
	sections := 0
	for page, text := range all {
		for _, link := range regexp.MustCompile(`(?:\]\(|(?:href|src)=")([^)"\s]+)[)"]`).FindAllStringSubmatch(text, -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			if wrong := follow(page, link[1], all); wrong != "" {
				t.Error(wrong)
			}
			if strings.Contains(link[1], "#") {
				sections++
			}
		}
	}
	if sections < 15 {
		t.Errorf("%d links to sections", sections)
	}
	for _, wrong := range []string{"docs/nowhere.md", "docs/runbook.md#nowhere", "#nowhere", "LICENSE#nowhere"} {
		if follow("README.md", wrong, all) == "" {
			t.Errorf("%s leads somewhere", wrong)
		}
	}
}

// TestDeployNamesSections: what deploy/ says of the pages in its comments and alerts is
// there.
func TestDeployNamesSections(t *testing.T) {
	all := pages(t)
	found := 0
	err := filepath.WalkDir(root+"/deploy", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(file)
		for _, link := range regexp.MustCompile(`\bdocs/[\w.-]+\.md(?:#[\w-]+)?`).FindAllString(string(text), -1) {
			found++
			if wrong := follow("README.md", link, all); wrong != "" {
				t.Errorf("%s: %s", file, wrong)
			}
		}
		return err
	})
	if err != nil || found < 20 {
		t.Errorf("%d found, %v", found, err)
	}
}
