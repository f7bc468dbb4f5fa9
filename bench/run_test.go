package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// requireEnv, set to 1, makes a missing tool fail the tests instead of skipping them.
const requireEnv = "HOOKGATE_REQUIRE_BENCH"

// inCheckout skips the test where a tool is missing, and goes to where make runs.
func inCheckout(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv(requireEnv) == "1" {
				t.Fatalf("%s is required (%s=1) and missing: %v", tool, requireEnv, err)
			}
			t.Skip(tool + " is not installed")
		}
	}
	t.Chdir("..")
	t.Setenv("TMPDIR", t.TempDir()) // where the benchmark works
}

// assertNothingLeft fails where a server has outlived the benchmark: it would disturb
// whatever is measured next.
func assertNothingLeft(t *testing.T) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if dir, err := os.Readlink(link); err == nil && strings.HasPrefix(dir, os.TempDir()) {
			t.Errorf("left behind: process %s", filepath.Base(filepath.Dir(link)))
		}
	}
}

// TestCompare runs the comparison for as short as can be. What it measures does not
// matter here.
func TestCompare(t *testing.T) {
	inCheckout(t, "wrk", "redis-server", "nginx", "haproxy", "make")
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("<!-- bench:begin --><!-- bench:end -->\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	setups := []string{ours, oursTraced, oursSigned, oursReplay, oursIngress, oursReverse, authRequest, "nginx-lua", "haproxy"}
	var out bytes.Buffer
	args := []string{"-rounds", "1", "-duration", "1s", "-setups", strings.Join(setups, ","), "-traffic", accepted + "," + refused, "-docs", page}
	if err := run(t.Context(), args, &out); err != nil {
		t.Fatal(err)
	}
	for _, name := range setups {
		if got := strings.Count(out.String(), "\n| "+name+" "); got != 2 { // one for each traffic
			t.Errorf("%s stands %d times in\n%s", name, got, &out)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(text), "### Bars") {
		t.Errorf("the page reads %s, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(page), "bench-cpu.svg")); err != nil {
		t.Error(err)
	}
	assertNothingLeft(t)
}

func TestMemory(t *testing.T) {
	inCheckout(t, "wrk", "redis-server", "make")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"memory", "-credentials", "0,1000", "-idle-connections", "20", "-servers", ours}, &out); err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{"| 1000 ", "| hookgate "} {
		if !strings.Contains(out.String(), row) {
			t.Errorf("no row %q in\n%s", row, &out)
		}
	}
}

// TestOperators: too short and too small for the bars of time and memory, but nobody else is
// refused for want of them, and every list is answered.
func TestOperators(t *testing.T) {
	inCheckout(t, "redis-server", "make")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"operators", "-credentials", "5000", "-clients", "8", "-duration", "3s", "-idle", "1s"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{`(?m)^\| vendors not answered 200 +\| none of [1-9]`, `(?m)^\| lists that failed +\| none; none `, `(?m)^\| whole list +\| [1-9]`} {
		if !regexp.MustCompile(row).MatchString(out.String()) {
			t.Errorf("no %q in\n%s", row, &out)
		}
	}
	assertNothingLeft(t)
}

// TestDeaf: too short and too small to judge anything, but every connection is made, and
// all that belongs into the report is there.
func TestDeaf(t *testing.T) {
	inCheckout(t, "wrk", "redis-server", "make")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"deaf", "-connections", "50", "-rounds", "1", "-duration", "1s"}, &out); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), "| 50 "); got == 0 {
		t.Errorf("no 50 connections in\n%s", &out)
	}
	for _, bar := range []string{"MiB at most", "| memory ", "| p99 of accepted"} {
		if !strings.Contains(out.String(), bar) {
			t.Errorf("no %q in\n%s", bar, &out)
		}
	}
	assertNothingLeft(t)
}
