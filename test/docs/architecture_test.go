package docs

import (
	"go/build"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// imports returns what every package of the product imports, without its tests, by its
// path from the root. They are read and not asked for with the go command: a cached
// result of a test does not notice a change of what another program has read.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	err := filepath.WalkDir(root, func(dir string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		room, err := filepath.Rel(root, dir)
		if err != nil {
			return err
		}
		switch name := entry.Name(); {
		case room == "test", room == "bench", name == "testdata", room != "." && strings.HasPrefix(name, "."):
			return filepath.SkipDir
		}
		p, err := build.Default.ImportDir(dir, 0)
		if _, none := err.(*build.NoGoError); none {
			return nil
		}
		found[filepath.ToSlash(room)] = p.Imports
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 20 {
		t.Fatalf("%d packages found", len(found))
	}
	return found
}

// TestArchitectureIsTheCode: ARCHITECTURE.md has a row for every room, names no file that
// is not there, and says which way imports go as the test of that does.
func TestArchitectureIsTheCode(t *testing.T) {
	page := Read(t, root, "ARCHITECTURE.md")
	rows := make(map[string]bool)
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z/]+)/` \\| ").FindAllStringSubmatch(page, -1) {
		rows[row[1]] = true
		if info, err := os.Stat(filepath.Join(root, row[1])); err != nil || !info.IsDir() {
			t.Errorf("there is no room %s", row[1])
		}
	}
	for _, room := range slices.Sorted(maps.Keys(imports(t))) {
		if !rows[room] && !strings.HasSuffix(room, "test") {
			t.Errorf("the room %s has no row", room)
		}
	}

	files := regexp.MustCompile("`([\\w./*-]+/[\\w.*-]+\\.[a-z]+)`").FindAllStringSubmatch(page, -1)
	if len(files) < 50 {
		t.Errorf("%d files named", len(files))
	}
	for _, file := range files {
		if there, err := filepath.Glob(filepath.Join(root, file[1])); err != nil || len(there) == 0 {
			t.Errorf("there is no %s", file[1])
		}
	}

	var layers []string
	for _, line := range regexp.MustCompile(`(?m)^\t\{("\w+"(?:, "\w+")*)\},$`).FindAllStringSubmatch(Read(t, root, "cmd/hookgate/imports_test.go"), -1) {
		rooms := slices.DeleteFunc(strings.Split(strings.ReplaceAll(line[1], `"`, ""), ", "), func(room string) bool {
			_, err := os.Stat(filepath.Join(root, room))
			return err != nil // it is still to come
		})
		layers = append(layers, strings.Join(rooms, ", "))
	}
	if order := strings.Join(layers, " < "); !strings.Contains(page, "\n    "+order+"\n") {
		t.Errorf("imports go by %s", order)
	}
}

// TestDecisionKnowsNoServer: what decides does not reach net/http, neither itself nor by
// what it imports of ours.
func TestDecisionKnowsNoServer(t *testing.T) {
	all := imports(t)
	for _, room := range []string{"credential", "proof", "keyring", "guard"} {
		for queue := []string{room}; len(queue) > 0; queue = queue[1:] {
			if all[queue[0]] == nil {
				t.Fatalf("there is no %s", queue[0])
			}
			for _, name := range all[queue[0]] {
				if below, ours := strings.CutPrefix(name, "github.com/hookgate/hookgate/"); ours {
					queue = append(queue, below)
				} else if name == "net/http" {
					t.Errorf("%s reaches net/http", room)
				}
			}
		}
	}
}
