package encoder

import (
	"strings"
	"testing"
)

// TestWhatOperatorsLookForIsPrinted: docs/operations.md tells them by these words what
// is wrong with Redis.
func TestWhatOperatorsLookForIsPrinted(t *testing.T) {
	for _, text := range []string{
		"the data set that this process knows is not in Redis",
		"WRONGTYPE Operation against a key holding the wrong kind of value",
		"UNBLOCKED force unblock from blocking operation, instance state changed",
		"READONLY You can't write against a read only replica.",
		"NOREPLICAS Not enough good replicas to write.",
		"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
		"OOM command not allowed when used memory > 'maxmemory'.",
		"LOADING Redis is loading the dataset in memory",
		"NOAUTH Authentication required.",
		"WRONGPASS invalid username-password pair or user is disabled.",
		"NOPERM this user has no permissions to run the command",
		"ERR max number of clients reached",
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
		"keyring does not continue the ledger; reading it anew",
		"Redis has lost revocations; they hold here and are written again",
		"cannot follow Redis; the keyring serves until it is too old",
	} {
		if got := safeText(text); got != text {
			t.Errorf("printed: %s", got)
		}
	}
}

// FuzzSafeText: what is printed of a text consists of words that we know.
func FuzzSafeText(f *testing.F) {
	f.Add("dial tcp 10.0.0.7:4018: connect: connection refused")
	f.Add("read tcp 10.0.0.7:1->[::1]:2: i/o timeout \x1b[31m minted.elsewhere-1")
	f.Add("http: panic serving [::1]:2: x\ngoroutine 1 [running]:\n\t/a.go:1 +0x2")
	f.Fuzz(func(t *testing.T, text string) {
		for word := range strings.FieldsSeq(safeText(text)) {
			if word != unknownWord && !safeWord(word) {
				t.Fatalf("%q of %q", word, text)
			}
		}
		if again := safeText(safeText(text)); again != safeText(text) {
			t.Fatalf("%q changes into %q", safeText(text), again)
		}
	})
}
