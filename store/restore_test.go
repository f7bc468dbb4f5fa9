package store

import (
	"errors"
	"strings"
	"testing"
)

// TestRestoreOfNoDump: the error is about the dump, and says of an empty input that it is empty.
func TestRestoreOfNoDump(t *testing.T) {
	s := open(t, Config{EmbeddedDir: t.TempDir()})
	for text, want := range map[string]string{
		"":      "the file is not a whole dump of this version: it is empty",
		"hello": "the file is not a whole dump of this version",
	} {
		if n, err := s.RestoreFrom(t.Context(), strings.NewReader(text)); n != 0 || !errors.Is(err, ErrNotADump) || err.Error() != want {
			t.Errorf("%q: %d, %v", text, n, err)
		}
	}
}
