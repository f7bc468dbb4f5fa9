package store_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store"
)

// A store without a Redis server: a token is minted, looked up and revoked. Each change
// is on disk when it returns, and holds in the keyring of the process.
func Example() {
	dir, err := os.MkdirTemp("", "hookgate")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	s, err := store.New(store.Config{EmbeddedDir: dir, Namespace: "hookgate"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := s.Start(store.Tuning{}); err != nil {
		fmt.Println(err)
		return
	}
	defer s.Destruct()
	for !s.Stats(time.Now()).Loaded { // until then nothing can be decided
		time.Sleep(time.Millisecond)
	}

	ctx := context.Background()
	tenant := uuid.MustParse("11111111-1111-4111-8111-111111111111")
	minted, token, err := s.Mint(ctx, credential.Spec{Tenant: tenant, Kind: credential.KindCallback, Label: "JIRA"})
	if err != nil {
		fmt.Println(err)
		return
	}
	key, standing := s.Keyring().Lookup(credential.DigestToken(token))
	fmt.Println(standing, key.ID == minted.ID, key.Label)

	if err := s.Revoke(ctx, store.Ref{Tenant: tenant, ID: minted.ID}); err != nil {
		fmt.Println(err)
		return
	}
	_, standing = s.Keyring().Lookup(credential.DigestToken(token))
	fmt.Println(standing)

	another := uuid.MustParse("22222222-2222-4222-8222-222222222222")
	fmt.Println(s.Revoke(ctx, store.Ref{Tenant: another, ID: minted.ID}))
	// Output:
	// live true JIRA
	// revoked
	// credential not found
}
