package store

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/internal/disktest"
	"github.com/hookgate/hookgate/keyring"
)

// fillDisk takes all room that is left, and returns how to give it back.
func fillDisk(t *testing.T, dir string) (giveBack func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for err == nil {
		_, err = file.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

// TestFullDisk: what is known goes on deciding, revocations find the room that was kept
// for them, everything else says that it cannot be done, and so does the probe.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := disktest.Small(t, "4m")
	config := Config{EmbeddedDir: filepath.Join(disk, "data")}
	s := open(t, config)
	var kept []credential.Credential
	var tokens []string
	for range 50 {
		c, token := mint(t, s, callbackSpec())
		kept, tokens = append(kept, c), append(tokens, token)
	}
	giveBack := fillDisk(t, disk)
	var err error
	for err == nil { // what the last page of the journal still takes
		_, _, err = s.Mint(t.Context(), callbackSpec())
	}
	if !errors.Is(err, ErrUnavailable) {
		t.Errorf("Mint: %v", err)
	}
	eventually(t, "the probe tells", func() bool { return !s.Stats(time.Now()).RedisUp })
	awaitProof(t, s) // of what is known
	wantStanding(t, s, tokens[0], keyring.Live)

	for i, c := range kept[1:] {
		revoke(t, s, c)
		wantStanding(t, s, tokens[i+1], keyring.Revoked)
	}
	if _, _, err := s.Mint(t.Context(), callbackSpec()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Mint into the room of revocations: %v", err)
	}
	destruct(t, s)
	s = open(t, config) // a restart changes none of it
	wantStanding(t, s, tokens[0], keyring.Live)
	for _, token := range tokens[1:] {
		if standing(s, token) == keyring.Live {
			t.Fatal("a revocation is lost")
		}
	}
	eventually(t, "the probe tells again", func() bool { return !s.Stats(time.Now()).RedisUp })
	giveBack()
	eventually(t, "it is over", func() bool { return s.Stats(time.Now()).RedisUp })
	mint(t, s, callbackSpec())
}
