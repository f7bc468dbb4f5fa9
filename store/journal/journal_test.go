package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// writeRecords makes a journal with the records and returns its path and the length
// of the file after each of them, the empty journal's first.
func writeRecords(t *testing.T, records ...[]string) (path string, sizes []int64) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal")
	j, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	sizes = []int64{j.Size}
	for _, record := range records {
		if err := j.Append(record); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, j.Size)
	}
	return path, sizes
}

func readJournal(path string) (records [][]string, err error) {
	j, err := Open(path, func(command []string) error {
		records = append(records, command)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return records, j.Close()
}

var someRecords = [][]string{
	{"HSET", "key", "field", "value"},
	{"EVALSHA", strings.Repeat("\x00\xff\r\n", 50), "", "ключ"},
	{"ZADD"},
}

func TestJournalReadsBack(t *testing.T) {
	path, sizes := writeRecords(t, someRecords...)
	got, err := readJournal(path)
	if err != nil || !reflect.DeepEqual(got, someRecords) {
		t.Errorf("read back %q, %v", got, err)
	}
	if info, _ := os.Stat(path); info.Size() != sizes[3] || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has %d bytes and mode %v", info.Size(), info.Mode())
	}
}

func TestTornTailIsDropped(t *testing.T) {
	path, sizes := writeRecords(t, someRecords...)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := sizes[1]; n < sizes[2]; n++ {
		torn := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(torn, data[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readJournal(torn)
		if err != nil || !reflect.DeepEqual(got, someRecords[:1]) {
			t.Fatalf("cut at %d: %q, %v", n, got, err)
		}
		if info, _ := os.Stat(torn); info.Size() != sizes[1] {
			t.Fatalf("cut at %d: %d bytes are left", n, info.Size())
		}
	}
}

func TestTornTailIsOverwritten(t *testing.T) {
	path, sizes := writeRecords(t, someRecords...)
	if err := os.Truncate(path, sizes[3]-1); err != nil {
		t.Fatal(err)
	}
	j, err := Open(path, func([]string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Append([]string{"DEL", "key"}); err != nil {
		t.Fatal(err)
	}
	j.Close()
	want := append(someRecords[:2:2], []string{"DEL", "key"})
	if got, err := readJournal(path); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestGarbageAtTheEndIsDropped(t *testing.T) {
	for name, garbage := range map[string]string{
		"zeros":       strings.Repeat("\x00", 5000), // what a file system leaves after a power cut
		"text":        "not a record",
		"long length": "\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			path, sizes := writeRecords(t, someRecords...)
			appendTo(t, path, garbage)
			if got, err := readJournal(path); err != nil || !reflect.DeepEqual(got, someRecords) {
				t.Errorf("%q, %v", got, err)
			}
			if info, _ := os.Stat(path); info.Size() != sizes[3] {
				t.Errorf("%d bytes are left of it", info.Size()-sizes[3])
			}
		})
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func TestDamageInTheMiddleIsRefused(t *testing.T) {
	path, sizes := writeRecords(t, someRecords...)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "journal")
	for at := range sizes[2] {
		changed := append([]byte(nil), data...)
		changed[at] ^= 0x10
		if err := os.WriteFile(damaged, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		want := ErrJournalCorrupt
		if at < sizes[0] {
			want = ErrJournalMagic
		}
		if _, err := readJournal(damaged); !errors.Is(err, want) {
			t.Fatalf("with byte %d changed: %v, want %v", at, err, want)
		}
		if info, _ := os.Stat(damaged); info.Size() != int64(len(data)) {
			t.Fatalf("with byte %d changed: the file was cut", at)
		}
	}
}

func TestFailedReplayNamesThePlace(t *testing.T) {
	path, sizes := writeRecords(t, someRecords...)
	failure := errors.New("no")
	_, err := Open(path, func(command []string) error {
		if command[0] == "EVALSHA" {
			return failure
		}
		return nil
	})
	if !errors.Is(err, failure) || !strings.Contains(err.Error(), fmt.Sprint(sizes[1])) {
		t.Errorf("%v, want one that names byte %d", err, sizes[1])
	}
}

func TestAppendThatFailsAppendsNothing(t *testing.T) {
	for name, spoil := range map[string]func(*Journal, string) error{
		"closed": func(j *Journal, _ string) error { return j.File.Close() },
		"read only": func(j *Journal, path string) (err error) {
			j.File.Close()
			j.File, err = os.Open(path)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			path, _ := writeRecords(t, someRecords...)
			j, err := Open(path, func([]string) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			if err := spoil(j, path); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := j.Append([]string{"SET", "a", "b"}); err == nil {
					t.Error("append to an unwritable file succeeded")
				}
			}
			if got, err := readJournal(path); err != nil || !reflect.DeepEqual(got, someRecords) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestRecordThatCouldNotBeReadIsNotWritten(t *testing.T) {
	path, _ := writeRecords(t, someRecords...)
	j, err := Open(path, func([]string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Append([]string{strings.Repeat("x", maxRecord)}); err == nil {
		t.Error("a record beyond the limit was written")
	}
	if err := j.Append([]string{"DEL", "key"}); err != nil {
		t.Errorf("the next one: %v", err)
	}
	j.Close()
	if got, err := readJournal(path); err != nil || len(got) != len(someRecords)+1 {
		t.Errorf("%d records, %v", len(got), err)
	}
}

func TestReplaceIsAllOrNothing(t *testing.T) {
	path, _ := writeRecords(t, someRecords...)
	j, err := Open(path, func([]string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	failure := errors.New("no")
	err = j.Replace(path, func(emit func([]string) error) error {
		emit([]string{"half"})
		return failure
	})
	if !errors.Is(err, failure) || j.Broken {
		t.Fatalf("replace: %v, broken %t", err, j.Broken)
	}
	if err := j.Append([]string{"after"}); err != nil {
		t.Fatal(err)
	}
	if got, err := readJournal(path); err != nil || len(got) != len(someRecords)+1 {
		t.Errorf("after a failed replace: %q, %v", got, err)
	}
	if err := j.Replace(path, func(emit func([]string) error) error { return emit([]string{"new"}) }); err != nil {
		t.Fatal(err)
	}
	if err := j.Append([]string{"after"}); err != nil {
		t.Fatal(err)
	}
	j.Close()
	if got, err := readJournal(path); err != nil || !reflect.DeepEqual(got, [][]string{{"new"}, {"after"}}) {
		t.Errorf("after replace: %q, %v", got, err)
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	for _, command := range someRecords {
		record, _ := appendRecord(nil, command)
		f.Add(record)
		f.Add(record[:len(record)-1])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		command, n := decodeRecord(data)
		if command == nil {
			return
		}
		again, err := appendRecord(nil, command)
		if err != nil || n > len(data) {
			t.Fatalf("%d of %d bytes, %v", n, len(data), err)
		}
		if got, m := decodeRecord(again); m != len(again) || !reflect.DeepEqual(got, command) {
			t.Errorf("%q comes back as %q", command, got)
		}
	})
}
