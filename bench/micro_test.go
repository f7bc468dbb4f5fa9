package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// longSetUp are benchmarks that take too long to be run here, with the reason.
var longSetUp = map[string]string{
	"ListPage": "mints ten thousand credentials in either store before it begins",
	"Boot":     "needs a million credentials in Redis",
	"Herd":     "needs a thousand sidecars",
}

// TestBenchmarks runs those that the Makefile names, each for as short as can be and
// without a million credentials. What they measure does not matter here; each checks by
// itself that it measures what it says.
func TestBenchmarks(t *testing.T) {
	inCheckout(t, "redis-server", "make")
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, pattern := range regexp.MustCompile(`(?m)^\t.* -bench '?(?:\^Benchmark\()?([\w|]+)`).FindAllStringSubmatch(string(makefile), -1) {
		named = append(named, strings.Split(pattern[1], "|")...)
	}
	if len(named) < 10 {
		t.Fatalf("the Makefile names %q", named)
	}

	const million = `'/1000000|/.*/1000000'`
	out := succeeds(t, exec.Command("make", "bench-micro", "ARGS=-benchtime 1x -skip "+million))
	out += succeeds(t, exec.Command("go", "test", "-run", "^$", "-bench", "^Benchmark(Mint|BareScript|MintRequest|Propagation)$", "-benchtime", "1x",
		"./store", "./admin", "./bench/propagation"))
	var ran []string
	for _, line := range regexp.MustCompile(`(?m)^Benchmark([A-Za-z]+)\S*\s+1\s`).FindAllStringSubmatch(out, -1) {
		ran = append(ran, line[1])
	}
	for _, name := range named {
		has := slices.Contains(ran, name)
		if _, long := longSetUp[name]; has == long {
			t.Errorf("Benchmark%s has run: %v\n%s", name, has, out)
		}
	}
	for name := range longSetUp {
		if !slices.Contains(named, name) {
			t.Errorf("the Makefile does not name %s any more", name)
		}
	}
	if !regexp.MustCompile(`(?m)^Benchmark\S+/10000/`).MatchString(out) || regexp.MustCompile(`(?m)^Benchmark\S+/1000000`).MatchString(out) {
		t.Errorf("the sizes are others:\n%s", out)
	}
}

// succeeds returns what a command prints.
func succeeds(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	cmd.Env = append(os.Environ(), "HOOKGATE_REQUIRE_REDIS=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}
