// Package loaded opens stores with many credentials for micro-benchmarks.
package loaded

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/hookgate/hookgate/bench/dataset"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// Sizes are the numbers of credentials that a step of the decision is measured with.
var Sizes = []int{1, 10_000, 1_000_000}

// patience is how long a keyring may take to load.
const patience = time.Minute

// Token returns the i-th token that a store opened by Store has a credential for. It is
// one of another minter, as they come by import.
func Token(i int) string { return "minted.elsewhere-" + strconv.Itoa(i) }

// Store opens a store whose keyring has the credentials of the tokens 0 to n-1, until the
// benchmark ends.
func Store(b testing.TB, n int) *store.Store {
	b.Helper()
	ctx := context.Background()
	server := redistest.Start(b)
	if _, err := dataset.Mint(ctx, server.Addr(), ""); err != nil {
		b.Fatal(err)
	}
	err := dataset.Copy(ctx, server.Addr(), func(yield func(credential.Digest) bool) {
		for i := range n {
			if !yield(credential.DigestToken(Token(i))) {
				return
			}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	s, err := store.New(store.Config{Redis: redisconn.Server{URLs: []string{server.URL()}}, Namespace: "hookgate"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Destruct() })
	if err := s.Start(store.Tuning{}); err != nil {
		b.Fatal(err)
	}
	for deadline := time.Now().Add(patience); !s.Stats(time.Now()).Loaded; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("the keyring is not loaded in %v", patience)
		}
	}
	if got := s.Keyring().Count(credential.KindCallback); got != n+1 {
		b.Fatalf("the keyring has %d credentials instead of %d", got, n+1)
	}
	return s
}
