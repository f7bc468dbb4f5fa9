package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hookgate/hookgate/"

// layers are the parts of the module, lowest first. A package imports its own part, and
// parts of lower layers.
var layers = [][]string{
	{"credential", "problem", "proof", "internal"},
	{"keyring"},
	{"guard", "store"},
	{"gate", "lane", "admin"},
	{"cli"},
	{"caddymodule"},
	{"cmd"},
}

// TestImportDirections: what decides knows nothing of what is around it. Tools beside the
// product, under test and bench, import what they like.
func TestImportDirections(t *testing.T) {
	level := make(map[string]int)
	for i, layer := range layers {
		for _, part := range layer {
			level[part] = i
		}
	}
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...") {
		imports := strings.Fields(line)
		name := strings.TrimPrefix(imports[0], module)
		part := partOf(name)
		if part == "test" || part == "bench" {
			continue
		}
		own, known := level[part]
		if !known {
			t.Errorf("%s is in no layer", name)
		}
		for _, path := range imports[1:] {
			if other, ours := strings.CutPrefix(path, module); ours {
				if to := partOf(other); to != part && (level[to] >= own || part == "cli" && closedToCLI(other)) {
					t.Errorf("%s imports %s", name, other)
				}
			} else if strings.HasPrefix(path, "github.com/caddyserver/caddy/") && part != "caddymodule" && part != "cmd" {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

// closedToCLI: the command line is a client like any other.
func closedToCLI(name string) bool {
	part := partOf(name)
	return part == "store" || part == "admin" && name != "admin/api"
}

func partOf(name string) string {
	part, _, _ := strings.Cut(name, "/")
	return part
}

// TestDecisionKnowsNoRedis: a decision cannot wait for what its packages do not have.
func TestDecisionKnowsNoRedis(t *testing.T) {
	present := goList(t, module+"...")
	var pure []string
	for _, part := range []string{"credential", "proof", "keyring", "guard", "gate", "lane"} {
		if slices.Contains(present, module+part) {
			pure = append(pure, module+part)
		}
	}
	for _, path := range goList(t, append([]string{"-deps"}, pure...)...) {
		for _, word := range []string{"go-redis", "miniredis", "gopher-lua", "caddyserver"} {
			if strings.Contains(path, word) {
				t.Errorf("one of %s comes to import %s", pure, path)
			}
		}
	}
}

// goList returns the lines that `go list` prints.
func goList(t *testing.T, args ...string) []string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	var stderr strings.Builder
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
