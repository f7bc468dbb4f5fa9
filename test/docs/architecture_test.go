package docs

import (
	"go/build"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hookgate/hookgate/"

// outside are the rooms that import what they like, and that no room imports.
var outside = []string{"test", "bench"}

// imports returns what every package of the repository imports, without its tests, by
// its path from the root. They are read and not asked for with the go command: a cached
// result of this test would not notice a change of what another program has read.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	err := filepath.WalkDir(root, func(dir string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if name := entry.Name(); dir != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
			return filepath.SkipDir
		}
		p, err := build.Default.ImportDir(dir, 0)
		if _, none := err.(*build.NoGoError); none {
			return nil
		}
		room, relErr := filepath.Rel(root, dir)
		if err != nil || relErr != nil {
			t.Fatal(err, relErr)
		}
		if len(p.GoFiles) > 0 {
			found[filepath.ToSlash(room)] = p.Imports
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 20 {
		t.Fatalf("%d packages found", len(found))
	}
	return found
}

// top is the first element of a path.
func top(room string) string {
	first, _, _ := strings.Cut(room, "/")
	return first
}

// levels reads the line of ARCHITECTURE.md that says which way imports go: of each room,
// how far up it is.
func levels(t *testing.T) map[string]int {
	t.Helper()
	line := regexp.MustCompile(`(?m)^    (\w.* < .*)$`).FindStringSubmatch(Read(t, root, "ARCHITECTURE.md"))
	if line == nil {
		t.Fatal("ARCHITECTURE.md does not say which way imports go")
	}
	found := make(map[string]int)
	for level, rooms := range strings.Split(line[1], " < ") {
		for _, room := range strings.Split(rooms, ", ") {
			found[room] = level
		}
	}
	return found
}

// astray says what is wrong with an import of one room by another, "" for nothing.
func astray(levels map[string]int, room, imported string) string {
	from, to := top(room), top(imported)
	level, known := levels[to]
	switch {
	case slices.Contains(outside, from) || from == to && !(from == "internal" && room != imported):
		return ""
	case slices.Contains(outside, to):
		return room + " imports " + imported + ", which is for tests"
	case !known:
		return room + " imports " + imported + ", which ARCHITECTURE.md puts on no level"
	case level >= levels[from]:
		return room + " imports " + imported + ", which is not below it"
	}
	return ""
}

// TestImportsGoOneWay: a room imports only what ARCHITECTURE.md puts below it.
func TestImportsGoOneWay(t *testing.T) {
	levels := levels(t)
	for room, imported := range imports(t) {
		if _, known := levels[top(room)]; !known && !slices.Contains(outside, top(room)) {
			t.Errorf("ARCHITECTURE.md puts %s on no level", room)
		}
		for _, name := range imported {
			if below, ours := strings.CutPrefix(name, module); ours {
				if wrong := astray(levels, room, below); wrong != "" {
					t.Error(wrong)
				}
			}
		}
	}
}

func TestAstray(t *testing.T) {
	levels := map[string]int{"credential": 0, "internal": 0, "keyring": 1, "guard": 2, "store": 2, "cmd": 3}
	for _, test := range []struct{ room, imported, want string }{
		{"keyring", "credential", ""},
		{"cmd/hookgate", "store/journal", ""},
		{"store", "store/journal", ""},
		{"test/console", "cmd/hookgate", ""},
		{"guard", "store", "not below"},
		{"keyring", "guard", "not below"},
		{"internal/upstream", "internal/handover", "not below"},
		{"guard", "lane", "no level"},
		{"cmd/hookgate", "test/process", "for tests"},
	} {
		if got := astray(levels, test.room, test.imported); !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%s imports %s: %q, want %q", test.room, test.imported, got, test.want)
		}
	}
}

// TestWhatRoomsDoNotReach: which rooms come to a library neither themselves nor by what
// they import.
func TestWhatRoomsDoNotReach(t *testing.T) {
	all := imports(t)
	var reached func(room string, seen map[string]bool)
	reached = func(room string, seen map[string]bool) {
		for _, name := range all[room] {
			if seen[name] {
				continue
			}
			seen[name] = true
			if below, ours := strings.CutPrefix(name, module); ours {
				reached(below, seen)
			}
		}
	}
	for _, test := range []struct {
		libraries []string // with what is below them
		rooms     []string
	}{
		{[]string{"github.com/redis", "github.com/alicebob/miniredis", "net/http"}, []string{"credential", "keyring", "guard"}},
		{[]string{"github.com/redis", "github.com/alicebob/miniredis"}, []string{"problem", "internal/upstream", "internal/handover", "internal/footprint"}},
		{[]string{"github.com/caddyserver"}, []string{
			"credential", "problem", "keyring", "guard", "store", "admin", "internal/upstream", "internal/handover", "internal/footprint",
		}},
	} {
		for _, room := range test.rooms {
			if all[room] == nil {
				t.Errorf("there is no %s", room)
			}
			seen := make(map[string]bool)
			reached(room, seen)
			for _, library := range test.libraries {
				for name := range seen {
					if strings.HasPrefix(name+"/", library+"/") {
						t.Errorf("%s reaches %s", room, name)
					}
				}
			}
		}
	}
}

// TestArchitectureIsTheCode: ARCHITECTURE.md has a row for every room, and names no file
// that is not there.
func TestArchitectureIsTheCode(t *testing.T) {
	page := Read(t, root, "ARCHITECTURE.md")
	rooms := make(map[string]bool)
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z/]+)/` \\| ").FindAllStringSubmatch(page, -1) {
		rooms[row[1]] = true
		if info, err := os.Stat(filepath.Join(root, row[1])); err != nil || !info.IsDir() {
			t.Errorf("there is no room %s", row[1])
		}
	}
	for _, room := range slices.Sorted(maps.Keys(imports(t))) {
		if !rooms[room] && !slices.Contains(outside, top(room)) && !strings.HasSuffix(room, "test") {
			t.Errorf("the room %s has no row", room)
		}
	}
	files := regexp.MustCompile("`([\\w./*-]+/[\\w.*-]+\\.[a-z]+)`").FindAllStringSubmatch(page, -1)
	if len(files) < 50 {
		t.Errorf("%d files named", len(files))
	}
	for _, file := range files {
		if there, err := filepath.Glob(filepath.Join(root, path.Clean(file[1]))); err != nil || len(there) == 0 {
			t.Errorf("there is no %s", file[1])
		}
	}
}
