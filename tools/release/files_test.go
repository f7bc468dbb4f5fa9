package release

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestChecksums: every file has one, and it is right.
func TestChecksums(t *testing.T) {
	sums := make(map[string]string)
	for line := range strings.Lines(string(read(t, filepath.Join(dist, "SHA256SUMS")))) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		sums[name] = sum
	}
	entries, err := os.ReadDir(dist)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() || entry.Name() == "SHA256SUMS" {
			continue
		}
		sum := sha256.Sum256(read(t, filepath.Join(dist, entry.Name())))
		if got := hex.EncodeToString(sum[:]); got != sums[entry.Name()] {
			t.Errorf("%s: %s, its checksum is said to be %q", entry.Name(), got, sums[entry.Name()])
		}
		delete(sums, entry.Name())
	}
	if len(sums) > 0 {
		t.Errorf("not there: %v", sums)
	}
}

// TestArchives: each has the binary that is published beside it, and what goes with it.
func TestArchives(t *testing.T) {
	want := []string{
		"hookgate/CHANGELOG.md", "hookgate/Caddyfile", "hookgate/Caddyfile.example", "hookgate/LICENSE", "hookgate/README.md",
		"hookgate/hookgate", "hookgate/hookgate.service", "hookgate/install.md", "hookgate/upgrade.md",
	}
	for _, system := range systems {
		packed, err := gzip.NewReader(bytes.NewReader(read(t, published(t, "hookgate-"+system+".tar.gz"))))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for archive := tar.NewReader(packed); ; {
			header, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, header.Name)
			if header.Uid != 0 || header.Gid != 0 || header.Mode&0o022 != 0 {
				t.Errorf("%s: %s belongs to %d:%d, mode %o", system, header.Name, header.Uid, header.Gid, header.Mode)
			}
			if header.Name != "hookgate/hookgate" {
				continue
			}
			binary, err := io.ReadAll(archive)
			if err != nil || header.Mode != 0o755 || !bytes.Equal(binary, read(t, published(t, "hookgate-"+system))) {
				t.Errorf("%s: another binary, or mode %o, %v", system, header.Mode, err)
			}
		}
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("%s: %q", system, names)
		}
	}
}

// TestBillsOfMaterials: each is CycloneDX, and has Go and the modules in the versions of go.mod.
func TestBillsOfMaterials(t *testing.T) {
	caddy := regexp.MustCompile(`(?m)^\s*github\.com/caddyserver/caddy/v2 (v\S+)`).FindSubmatch(read(t, filepath.Join(root, "go.mod")))
	for _, system := range systems {
		var bill struct {
			BOMFormat string
			Metadata  struct {
				Component struct{ Name, Version string }
			}
			Components []struct {
				Name, Version string
				Hashes        []struct{ Content string }
			}
		}
		if err := json.Unmarshal(read(t, published(t, "hookgate-"+system+".cdx.json")), &bill); err != nil {
			t.Fatal(err)
		}
		main := bill.Metadata.Component
		if bill.BOMFormat != "CycloneDX" || main.Name != "github.com/hookgate/hookgate" || main.Version != version {
			t.Errorf("%s: %s of %s %s", system, bill.BOMFormat, main.Name, main.Version)
		}
		versions := make(map[string]string)
		for _, component := range bill.Components {
			versions[component.Name] = component.Version
			if component.Name != "std" && len(component.Hashes) == 0 {
				t.Errorf("%s: %s has no hash", system, component.Name)
			}
		}
		if versions["github.com/caddyserver/caddy/v2"] != string(caddy[1]) || !strings.HasPrefix(versions["std"], "go1.") || len(versions) < 50 {
			t.Errorf("%s: %d components, Caddy %s, Go %s", system, len(versions), versions["github.com/caddyserver/caddy/v2"], versions["std"])
		}
	}
}
