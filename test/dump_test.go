package test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestDumpGoesWhereItIsMeantTo: the digests of a data set get into a file that is made
// for them, whatever somebody else has put at that place or beside it, or to standard
// output.
func TestDumpGoesWhereItIsMeantTo(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: embedded(t)})
	c := g.operator(t, tenantA, "admin").mintCallback("JIRA")
	g.stop()
	dump := func(to string) (stdout, stderr string, code int) {
		return hookgatetest.Run(t, hookgatetest.Command(g.dir, "store", "dump", to, "--config", g.caddyfile()))
	}
	dir := t.TempDir()
	elsewhere := filepath.Join(dir, "elsewhere")
	if err := os.WriteFile(elsewhere, []byte("as it was"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, prepare := range map[string]func(path string) error{
		"link":          func(path string) error { return os.Symlink(elsewhere, path) },
		"dangling link": func(path string) error { return os.Symlink(filepath.Join(dir, "nowhere"), path) },
		"pipe":          func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"directory":     func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		path := filepath.Join(dir, name)
		if err := prepare(path); err != nil {
			t.Fatal(err)
		}
		if _, stderr, code := dump(path); code != 1 || !strings.Contains(stderr, "no regular file") {
			t.Errorf("%s: exit code %d: %s", name, code, stderr)
		}
	}
	if _, stderr, code := dump("/dev/stdout"); code != 1 || !strings.Contains(stderr, "- is standard output") {
		t.Errorf("/dev/stdout: exit code %d: %s", code, stderr)
	}

	file := filepath.Join(dir, "dump")
	for _, there := range []string{file, file + ".tmp"} {
		if err := os.WriteFile(there, []byte("old"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(there, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, stderr, code := dump(file); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if info, err := os.Lstat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for path, want := range map[string]string{elsewhere: "as it was", file + ".tmp": "old"} {
		if text, err := os.ReadFile(path); err != nil || string(text) != want {
			t.Errorf("%s holds %q, %v", path, text, err)
		}
	}

	stdout, stderr, code := dump("-")
	written, err := os.ReadFile(file)
	if err != nil || code != 0 || len(stdout) != len(written) || !strings.Contains(stderr, "1 credentials written") {
		t.Errorf("exit code %d, %d bytes, %v: %s", code, len(stdout), err, stderr)
	}
	restored := config{store: embedded(t), upstream: newUpstream(t).addr}
	g.write(restored.text(t, g.ports))
	restore := hookgatetest.Command(g.dir, "store", "restore", "-", "--config", g.caddyfile())
	restore.Stdin = bytes.NewReader([]byte(stdout)[:len(stdout)-1])
	if _, stderr, code := hookgatetest.Run(t, restore); code != 1 {
		t.Errorf("cut off, and restored: %s", stderr)
	}
	restore = hookgatetest.Command(g.dir, "store", "restore", "-", "--config", g.caddyfile())
	restore.Stdin = strings.NewReader(stdout)
	if _, stderr, code := hookgatetest.Run(t, restore); code != 0 || !strings.Contains(stderr, "1 credentials restored") {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	g.Restart()
	wantStatus(t, g.use(t, c), http.StatusOK)
}

// TestCheckChangesNothing: an embedded store is looked at, be it there or not, and even
// where a start would repair it.
func TestCheckChangesNothing(t *testing.T) {
	t.Parallel()
	g := start(t, config{store: embedded(t)})
	g.operator(t, tenantA, "admin").mintCallback("JIRA")
	check := func(dir, want, severity string) {
		t.Helper()
		before := contentsOf(t, filepath.Dir(dir))
		g.write(config{store: store{words: "embedded " + dir}}.text(t, g.ports))
		stdout, stderr, _ := hookgatetest.Run(t, hookgatetest.Command(g.dir, "check", "--config", g.caddyfile(), "--output", "json"))
		var found struct {
			Findings []struct{ Check, Severity, Detail string }
		}
		if err := json.Unmarshal([]byte(stdout), &found); err != nil {
			t.Fatalf("%v: %s%s", err, stdout, stderr)
		}
		if f := found.Findings[len(found.Findings)-1]; f.Check != "embedded" || f.Severity != severity || !strings.Contains(f.Detail, want) {
			t.Errorf("%+v, want %s %q", f, severity, want)
		}
		if after := contentsOf(t, filepath.Dir(dir)); after != before {
			t.Errorf("it was\n%s\nand is\n%s", before, after)
		}
	}
	dir := g.config.store.dir
	check(dir, "in use by a running server", "ok")
	g.kill()
	check(dir, "bytes", "ok")
	journal, err := os.ReadFile(filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []struct {
		text           []byte
		want, severity string
	}{
		{journal[:len(journal)-1], "bytes", "ok"}, // torn, which a start repairs
		{append(bytes.Clone(journal[:len(journal)/2]), journal[len(journal)/2+1:]...), "damaged", "problem"},
		{[]byte("x"), "not one of ours", "problem"},
	} {
		if err := os.WriteFile(filepath.Join(dir, "journal"), change.text, 0o600); err != nil {
			t.Fatal(err)
		}
		check(dir, change.want, change.severity)
	}
	nowhere := t.TempDir()
	check(filepath.Join(nowhere, "data"), "there is none yet", "ok")
	check(filepath.Join(nowhere, "far", "data"), "there is none yet", "ok")
	check("/dev/null/data", "not a directory", "problem")
}

// contentsOf returns every path below dir with its mode and text.
func contentsOf(t *testing.T, dir string) string {
	t.Helper()
	if dir == "/dev/null" {
		return ""
	}
	var all strings.Builder
	filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			text, _ := os.ReadFile(path)
			all.WriteString(path + " " + info.Mode().String() + " " + string(text) + "\n")
		}
		return nil
	})
	return all.String()
}
