package test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestMetricsAreDocumented compares docs/metrics.md with what a process exposes and
// with the outcomes that the guard knows.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	u := newUpstream(t)
	g := start(t, config{store: embedded(t), upstream: u.addr, app: []string{"audit_sink file " + filepath.Join(t.TempDir(), "audit.log")}})
	g.use(t, g.operator(t, tenantA, "admin").mintCallback(""))
	text := g.Metrics(t)

	documented, exposed := make(map[string]string), make(map[string]string)
	for _, row := range regexp.MustCompile("(?m)^\\| `(hookgate_\\w+)` \\| (\\w+) \\| (.*?) \\| \\S.* \\| \\S.* \\|$").FindAllStringSubmatch(string(page), -1) {
		documented[row[1]] = row[2] + " " + strings.NewReplacer("`", "", ",", "", "none", "").Replace(row[3])
	}
	for _, line := range regexp.MustCompile(`(?m)^# TYPE (hookgate_\w+) (\w+)$`).FindAllStringSubmatch(text, -1) {
		name, kind := line[1], line[2]
		series := regexp.MustCompile(`(?m)^` + name + `(?:_bucket)?(?:\{(.*)\})? `).FindStringSubmatch(text)
		if series == nil {
			t.Fatalf("%s has no series", name)
		}
		var labels []string
		for _, label := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(series[1], -1) {
			if label[1] != "le" {
				labels = append(labels, label[1])
			}
		}
		exposed[name] = kind + " " + strings.Join(labels, " ")
	}
	for name := range maps.Keys(exposed) {
		got, want := strings.Fields(documented[name]), strings.Fields(exposed[name])
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s is documented as %v, and is %v", name, got, want)
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("there is no %s", name)
	}

	source, err := os.ReadFile("../guard/decision.go")
	if err != nil {
		t.Fatal(err)
	}
	_, outcomes, _ := strings.Cut(string(page), "## Outcomes")
	if got, want := words(outcomes, "(?m)^\\| `(\\w+)` \\|"), words(string(source), `Outcome += "(\w+)"`); !slices.Equal(got, want) {
		t.Errorf("outcomes in the docs: %v\nin the guard: %v", got, want)
	}
}

// words returns what a pattern finds, sorted.
func words(text, pattern string) (found []string) {
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	return found
}
