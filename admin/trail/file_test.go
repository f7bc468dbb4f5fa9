package trail

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/store"
)

// TestFileSink: whatever is done to the file and whenever the process ends, each entry is in
// it, in order, once, and the files together are one chain.
func TestFileSink(t *testing.T) {
	onEachStore(t, func(t *testing.T, s *store.Store) {
		path := filepath.Join(t.TempDir(), "audit.log")
		config := SinkConfig{Kind: KindFile, Address: path}
		r, stop := sending(t, s, config, "")
		has := func(lines int) func() bool {
			return func() bool { return bytes.Count(read(t, path), []byte("\n")) == lines }
		}
		mintAll(t, s, "one", "two")
		eventually(t, "both are there", has(2))
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}

		// While nobody sends, entries wait.
		stop()
		mintAll(t, s, "three")
		_, stop = sending(t, s, config, "")
		eventually(t, "the third is there", has(3))
		first := read(t, path)
		wantSaid(t, first, "one", "two", "three")
		whole(t, false, first)

		// logrotate renames the file.
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "there is another", has(1))
		mintAll(t, s, "four")
		eventually(t, "the fourth is there", has(2))
		second := read(t, path)
		wantSaid(t, second, "continues", "four")
		whole(t, false, second)
		if found := whole(t, false, first, second); found.Lines != 5 {
			t.Errorf("%+v", found)
		}

		// It does so while nobody sends.
		stop()
		if err := os.Rename(path, path+".2"); err != nil {
			t.Fatal(err)
		}
		mintAll(t, s, "five")
		_, stop = sending(t, s, config, "")
		eventually(t, "the fifth is there", has(2))
		third := read(t, path)
		wantSaid(t, third, "continues", "five")
		whole(t, false, first, second, third)

		// copytruncate empties it.
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it goes on", has(1))
		mintAll(t, s, "six")
		eventually(t, "the sixth is there", has(2))
		whole(t, false, first, second, third, read(t, path))
		stop()

		if state := r.State(); state.Name != "file-1" || state.Sent != 2 || state.Failed != 0 || state.Lost != 0 || state.Lag != 0 {
			t.Errorf("%+v", state)
		}
	})
}

// TestFileSinkAfterACrash: of a line that was not written to its end the part is marked, and
// the entry comes whole behind it.
func TestFileSinkAfterACrash(t *testing.T) {
	onEachStore(t, func(t *testing.T, s *store.Store) {
		path := filepath.Join(t.TempDir(), "audit.log")
		config := SinkConfig{Kind: KindFile, Address: path}
		_, stop := sending(t, s, config, "")
		mintAll(t, s, "one", "two")
		eventually(t, "both are there", func() bool { return bytes.Count(read(t, path), []byte("\n")) == 2 })
		stop()
		before := read(t, path)
		lines := bytes.SplitAfter(before, []byte("\n"))
		for name, test := range map[string]struct {
			left string
			want []string
		}{
			"in the middle of the second":     {string(lines[0]) + string(lines[1][:70]), []string{"one", "torn", "torn", "two"}},
			"before the end of the second":    {strings.TrimSuffix(string(before), "\n"), []string{"one", "two"}},
			"in the middle of the first":      {string(lines[0][:10]), []string{"torn", "torn", "one", "two"}},
			"and again, while it was marked":  {string(lines[0]) + string(lines[1][:70]) + "\n{\"seq\":2", []string{"one", "torn", "torn", "torn", "two"}},
			"behind the mark's first newline": {string(lines[0]) + string(lines[1][:70]) + "\n", []string{"one", "torn", "torn", "two"}},
		} {
			if err := os.WriteFile(path, []byte(test.left), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(path + ".last"); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			_, stop := sending(t, s, config, "")
			eventually(t, name, func() bool {
				text := read(t, path)
				return len(said(t, text)) >= len(test.want) && bytes.HasSuffix(text, []byte("\n"))
			})
			stop()
			wantSaid(t, read(t, path), test.want...)
			whole(t, false, read(t, path))
		}
	})
}

// TestFileSinkIsForItsOwner: also where logrotate made the file, with the rights of its own.
func TestFileSinkIsForItsOwner(t *testing.T) {
	onEachStore(t, func(t *testing.T, s *store.Store) {
		path := filepath.Join(t.TempDir(), "audit.log")
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		_, stop := sending(t, s, SinkConfig{Kind: KindFile, Address: path}, "")
		defer stop()
		mintAll(t, s, "one")
		eventually(t, "it is there", func() bool { return bytes.Count(read(t, path), []byte("\n")) == 1 })
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	})
}

// TestFileSinkIsOneProcess: another process on the same file waits.
func TestFileSinkIsOneProcess(t *testing.T) {
	s := open(t, store.Config{EmbeddedDir: t.TempDir(), Namespace: "hookgate"})
	path := filepath.Join(t.TempDir(), "audit.log")
	first, second := &fileSink{path: path, now: time.Now}, &fileSink{path: path, now: time.Now}
	if err := first.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := second.open(t.Context()); err != errElsewhere {
		t.Errorf("a second one: %v", err)
	}
	first.close()
	if err := second.open(t.Context()); err != nil {
		t.Errorf("when the first is gone: %v", err)
	}
	second.close()
	if err := os.WriteFile(path, bytes.Repeat([]byte("no log\n"), 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := first.open(t.Context()); err != errNoLog {
		t.Errorf("another file: %v", err)
	}
	first.close()
	os.Remove(path)
	if err := os.Symlink(filepath.Join(t.TempDir(), "elsewhere"), path); err != nil {
		t.Fatal(err)
	}
	if err := first.open(t.Context()); err == nil {
		t.Error("a link was followed")
	}
	first.close()

	// What cannot be written holds up no change, and is counted.
	r, _ := sending(t, s, SinkConfig{Kind: KindFile, Address: path}, "")
	mintAll(t, s, "one")
	eventually(t, "it is tried in vain", func() bool { return r.State().Failed > 2 })
	os.Remove(path)
	eventually(t, "it is there in the end", func() bool { return len(said(t, read(t, path))) == 1 })
}
