// Package docs reads the pages of the documentation, and knows which test runs the
// commands that they show.
package docs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// NotRun are the commands that no test runs, by how they begin, with the reason.
var NotRun = map[string]string{
	"make run ":     "serves until it is ended; TestDemo runs what it starts",
	"make test ":    "runs this; that the target is there is tested",
	"xcaddy build ": "fetches another Caddy; it is compared with xcaddy.txt, which CI runs",
	"systemctl ":    "needs systemd; test/deploy runs the unit's command with what it hands over",
	"dnf ":          "needs a Fedora; tools/release installs the rpm with rpm",
	"skopeo ":       "needs a registry; tools/release pushes the image to one of its own",
	"kubectl ":      "needs a cluster; test/manifests compares its arguments with the overlay",
	"helm ":         "needs a cluster; test/manifests renders the chart with the values of the page",
	"docker ":       "needs a container engine; TestBackup runs the command within",
}

// RunBy are the tests that run all other blocks of commands, by page and info. A block
// is looked for neither in another place nor with another info.
var RunBy = map[string]string{
	"README.md sh":               "TestReadme",
	"docs/audit.md sh":           "TestAuditDocs",
	"docs/backup.md sh":          "TestBackup",
	"docs/cli.md sh":             "TestCommandLineDocs",
	"docs/getting-started.md sh": "TestGettingStarted",
	"docs/install.md sh archive": "TestInstallPage",
	"docs/install.md sh deb":     "TestInstallPage",
	"docs/matcher-2.md sh":       "TestMatcherDocs",
	"docs/matcher-4.md sh":       "TestMatcherDocs",
	"docs/rotate.md sh":          "TestRotate",
	"docs/runbook.md sh":         "TestRunbook",
	// What is shown for a Redis that was emptied is done to one.
	"docs/backup.md sh elsewhere": "TestBackup",
}

// Block is a fenced block of a page.
type Block struct {
	Page   string // its path from the root of the repository
	Line   int    // of the fence
	Indent string // of the fence, which Text is without
	Info   string // what follows the fence: "sh", "json 201"
	Text   string
}

// Language is the first word of the info.
func (b Block) Language() string {
	language, _, _ := strings.Cut(b.Info, " ")
	return language
}

// Commands are the lines that a reader types.
func (b Block) Commands() (lines []string) {
	for line := range strings.Lines(b.Text) {
		command, typed := strings.CutPrefix(strings.TrimSpace(line), "$ ")
		if b.Language() != "console" || typed {
			lines = append(lines, command)
		}
	}
	return lines
}

// Reason says why no test runs the block. It is "" for one that has to be run: a single
// command that is not excused is enough for that.
func (b Block) Reason() (why string) {
	for _, command := range b.Commands() {
		why = ""
		for beginning, reason := range NotRun {
			if strings.HasPrefix(command+" ", beginning) {
				why = reason
			}
		}
		if why == "" {
			break
		}
	}
	return why
}

// Blocks returns the fenced blocks of a page. One that does not end has no text.
func Blocks(page, text string) (blocks []Block) {
	const fence = "```"
	inside := false
	for i, line := range slices.Collect(strings.Lines(text)) {
		bare := strings.TrimSpace(line)
		switch {
		case !inside && strings.HasPrefix(bare, fence):
			indent, info, _ := strings.Cut(strings.TrimRight(line, "\r\n"), fence)
			blocks = append(blocks, Block{Page: page, Line: i + 1, Indent: indent, Info: strings.TrimSpace(info)})
			inside = true
		case inside && bare == fence:
			inside = false
		case inside:
			last := &blocks[len(blocks)-1]
			last.Text += strings.TrimPrefix(line, last.Indent)
		}
	}
	if inside {
		blocks[len(blocks)-1].Text = ""
	}
	return blocks
}

// Read returns the text of a page.
func Read(t testing.TB, root, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// ToRun returns the blocks of a page with an info that a test has to run, in order.
func ToRun(t testing.TB, root, page, info string) (blocks []Block) {
	t.Helper()
	for _, b := range Blocks(page, Read(t, root, page)) {
		if b.Info == info && b.Reason() == "" {
			blocks = append(blocks, b)
		}
	}
	if len(blocks) == 0 {
		t.Fatalf("%s has no %s to run", page, info)
	}
	return blocks
}

// Script is all of the blocks as one.
func Script(blocks []Block) string {
	var script strings.Builder
	for _, b := range blocks {
		script.WriteString(b.Text)
	}
	return script.String()
}
