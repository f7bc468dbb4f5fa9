package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestThreatModelNamesTestsThatExist: a claim is worth what shows it.
func TestThreatModelNamesTestsThatExist(t *testing.T) {
	model, err := os.ReadFile("../../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	file := regexp.MustCompile("`([a-z/_]+_test\\.go)`((?:,? `(?:Test|Fuzz)\\w+`)+)")
	name := regexp.MustCompile(`(?:Test|Fuzz)\w+`)
	named := 0
	for line := range strings.Lines(string(model)) {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.Contains(line, "| shown by |") {
			continue
		}
		found := file.FindAllStringSubmatch(line, -1)
		if len(found) == 0 {
			t.Errorf("no test shows: %s", line)
		}
		for _, m := range found {
			source, err := os.ReadFile(filepath.Join("../..", m[1]))
			if err != nil {
				t.Error(err)
			}
			for _, test := range name.FindAllString(m[2], -1) {
				named++
				if !strings.Contains(string(source), "\nfunc "+test+"(") {
					t.Errorf("%s is not in %s", test, m[1])
				}
			}
		}
		if all := strings.Count(line, "`Test") + strings.Count(line, "`Fuzz"); all != countNames(found, name) {
			t.Errorf("a test without its file in: %s", line)
		}
	}
	if named < 40 {
		t.Errorf("only %d tests are named", named)
	}
}

func countNames(found [][]string, name *regexp.Regexp) (n int) {
	for _, m := range found {
		n += len(name.FindAllString(m[2], -1))
	}
	return n
}
