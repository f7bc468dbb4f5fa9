package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"
)

// TestOutFile: the file of --out is new and its owner's, or nothing is asked for.
func TestOutFile(t *testing.T) {
	failed := errors.New("refused")
	for name, tc := range map[string]struct {
		before   func(t *testing.T, path string)
		parts    bool
		writes   string
		fails    error
		wantCall bool
		wantLeft string // "" for no file
		wantErr  bool
	}{
		"new":                        {writes: "secret\n", wantCall: true, wantLeft: "secret\n"},
		"refused":                    {fails: failed, parts: true, wantCall: true, wantErr: true},
		"failed behind the secret":   {writes: "secret\n", fails: failed, parts: true, wantCall: true, wantLeft: "secret\n", wantErr: true},
		"failed in the middle":       {writes: "half", fails: failed, wantCall: true, wantErr: true},
		"a file is there":            {before: write("old"), writes: "secret", wantLeft: "old", wantErr: true},
		"a link to a file":           {before: link("other", "old"), writes: "secret", wantLeft: "old", wantErr: true},
		"a link to where nothing is": {before: link("other", ""), writes: "secret", wantErr: true},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out")
			if tc.before != nil {
				tc.before(t, path)
			}
			var stdout bytes.Buffer
			cmd := new(cobra.Command)
			cmd.SetOut(&stdout)
			called := false
			err := To(cmd, path, tc.parts, func(w io.Writer) error {
				called = true
				if _, err := os.Stat(path); err != nil {
					t.Errorf("there is no file when the token is asked for: %v", err)
				}
				_, err := io.WriteString(w, tc.writes)
				return errors.Join(err, tc.fails)
			})
			if called != tc.wantCall || err != nil != tc.wantErr || stdout.Len() > 0 {
				t.Errorf("called: %t, %v, standard output %q", called, err, stdout.String())
			}
			left, _ := os.ReadFile(path)
			if string(left) != tc.wantLeft {
				t.Errorf("left: %q", left)
			}
			if info, err := os.Stat(path); tc.wantCall && err == nil && info.Mode() != 0o600 {
				t.Errorf("mode %v", info.Mode())
			}
		})
	}
	if err := To(new(cobra.Command), filepath.Join(t.TempDir(), "none", "out"), WholeOnly, nil); err == nil {
		t.Error("a directory that is not there")
	}
}

func write(text string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func link(name, text string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		target := filepath.Join(filepath.Dir(path), name)
		if text != "" {
			write(text)(t, target)
		}
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
}
