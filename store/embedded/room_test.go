package embedded

import (
	"fmt"
	"strings"
	"testing"
)

// TestLargeKeysAreCompacted: a hash or set that is longer than any record of the journal,
// such as that of a tenant's many idempotency keys, is written in parts.
func TestLargeKeysAreCompacted(t *testing.T) {
	dir := t.TempDir()
	e, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 100_000)
	for n := range 200 { // 20 MB, where a record has at most 16 MiB
		field := fmt.Sprint(n)
		e.Redis.HSet("hash", field, long)
		if _, err := e.Redis.SetAdd("set", field+long); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Persist(); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	fields, err := e.Redis.HKeys("hash")
	if err != nil || len(fields) != 200 || e.Redis.HGet("hash", "199") != long {
		t.Errorf("%d fields, %v", len(fields), err)
	}
	if members, err := e.Redis.Members("set"); err != nil || len(members) != 200 {
		t.Errorf("%d members, %v", len(members), err)
	}
}
