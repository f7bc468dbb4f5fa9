package test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestLogsAreDocumented compares docs/logs.md with the fields and messages in the code, and
// with what a process writes.
func TestLogsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/logs.md")
	if err != nil {
		t.Fatal(err)
	}
	lines, fields, ok := strings.Cut(string(text), "## Fields")
	if !ok {
		t.Fatal("the page has no fields")
	}
	documented := make(map[string]bool) // by field: whether it was found
	for _, row := range regexp.MustCompile("(?m)^\\| (`[a-z_`, ]+`) \\| ").FindAllStringSubmatch(fields, -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			documented[strings.Trim(name, "`")] = false
		}
	}
	messages := make(map[string]bool)
	for _, row := range regexp.MustCompile("(?m)^\\| `[a-z_.]+` \\| (.+?) \\| [a-z]").FindAllStringSubmatch(lines, -1) {
		messages[row[1]] = false
	}
	found := func(what, where string, in map[string]bool) {
		if _, ok := in[what]; !ok {
			t.Errorf("%s is not on the page: %s", what, where)
			return
		}
		in[what] = true
	}

	field := regexp.MustCompile(`(?:zap|slog)\.[A-Z]\w+\("([a-z_]+)"|\.log\(\)\.\w+\("[^"]+"((?:, "[a-z_]+", [^"\n]+)+)\)`)
	word := regexp.MustCompile(`, "([a-z_]+)"`)
	message := regexp.MustCompile(`(?:[lL]og(?:ger)?\.(?:Info|Warn|Error|Debug)\(|Level, (?:message: )?|message: |InfoLevel, |ErrorLevel, )"([^"]+)"`)
	for _, dir := range []string{"admin", "caddymodule", "gate", "store"} {
		err := filepath.WalkDir(filepath.Join("..", dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range field.FindAllStringSubmatch(string(source), -1) {
				if m[1] != "" {
					found(m[1], path, documented)
				}
				for _, pair := range word.FindAllStringSubmatch(m[2], -1) {
					found(pair[1], path, documented)
				}
			}
			// Lines about a request are those of the handlers.
			if dir == "gate" || path == "../caddymodule/handlers/proxy.go" || path == "../caddymodule/handlers/unhandled.go" || filepath.Dir(path) == "../admin" && filepath.Base(path) != "openapi.go" || filepath.Dir(path) == "../admin/signin" {
				for _, m := range message.FindAllStringSubmatch(string(source), -1) {
					found(m[1], path, messages)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}

	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr})
	c := g.operator(t, tenantA, "admin").mintCallback("")
	wantStatus(t, g.use(t, c), 200)
	wantStatus(t, g.post(t, g.Vendors+callbackPath, ""), 401)
	last := g.get(t, g.Admin+callbackCredentials)
	wantStatus(t, last, 401)
	g.linesWith(t, last.header.Get("X-Request-Id"), 2)
	ours := regexp.MustCompile(`^(hookgate|http\.log\.access|http\.handlers\.hookgate.*)$`)
	request := []string{"client_ip", "method", "proto", "remote_addr", "route"}
	for text := range strings.Lines(g.Output.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		logger, _ := line["logger"].(string)
		if !ours.MatchString(logger) {
			continue
		}
		for name, value := range line {
			found(name, text, documented)
			if members, ok := value.(map[string]any); ok && name == "request" && !slices.Equal(slices.Sorted(maps.Keys(members)), request) {
				t.Errorf("request has %v", members)
			}
		}
		if logger == "http.log.access" {
			found(line["msg"].(string), text, messages)
		}
	}
	for _, on := range []map[string]bool{documented, messages} {
		for name, is := range on {
			if !is {
				t.Errorf("nothing writes %q", name)
			}
		}
	}
}
