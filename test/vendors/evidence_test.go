package vendors

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/proof"
)

// TestEvidence: a library that a preset names as its evidence is tried here with that
// preset, in the version that the preset says.
func TestEvidence(t *testing.T) {
	versions := map[string]string{}
	for name, version := range npmVersions(t) {
		versions["npm "+name] = version
	}
	for path, version := range goVersions(t) {
		versions["Go "+path] = version
	}
	tried := map[string]bool{}
	for _, tr := range trials(t, time.Now()) {
		tried[tr.preset+" "+tr.library] = true
	}
	for _, preset := range proof.Presets() {
		if preset.Evidence.Library == "" {
			continue
		}
		at := strings.LastIndex(preset.Evidence.Library, "@")
		if at < 0 {
			t.Errorf("%s: %q has no version", preset.Name, preset.Evidence.Library)
			continue
		}
		name, version := preset.Evidence.Library[:at], preset.Evidence.Library[at+1:]
		if got := versions[name]; got != version {
			t.Errorf("%s: evidence is %s, and %q is installed", preset.Name, preset.Evidence.Library, got)
		}
		if !tried[preset.Name+" "+name] {
			t.Errorf("%s: evidence is %s, and there is no trial of it", preset.Name, preset.Evidence.Library)
		}
	}
}

// npmVersions are the versions of package.json.
func npmVersions(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("node/package.json")
	if err != nil {
		t.Fatal(err)
	}
	var pinned struct{ Dependencies map[string]string }
	if err := json.Unmarshal(text, &pinned); err != nil {
		t.Fatal(err)
	}
	return pinned.Dependencies
}

// goVersions are the versions of go.mod.
func goVersions(t *testing.T) map[string]string {
	t.Helper()
	text, err := exec.Command("go", "list", "-m", "-f", "{{.Path}} {{.Version}}", "all").Output()
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for line := range strings.Lines(string(text)) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		versions[path] = version
	}
	return versions
}
