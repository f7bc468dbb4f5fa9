package keyring_test

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// A keyring is given what Redis held at one moment, and then each entry of the ledger. A
// revoked digest is told from one that never was.
func ExampleKeyring() {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ring := keyring.New(&keyring.ServerClock{Local: func() time.Time { return now }})

	digest := credential.DigestToken("mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk")
	jira := keyring.Key{
		ID: uuid.MustParse("01900000-0000-7000-8000-000000000001"),
		Identity: &keyring.Identity{
			Tenant: uuid.MustParse("11111111-1111-4111-8111-111111111111"),
			Kind:   credential.KindCallback, Label: "JIRA",
		},
	}
	const epoch = "the data set"
	snapshot := keyring.NewIndex(epoch)
	snapshot.Put(digest, 1, jira)
	ring.Install(snapshot, 1)
	ring.MarkFresh(now)

	key, standing := ring.Lookup(digest)
	fmt.Println(standing, key.Label)
	fmt.Println(ring.Age(now.Add(3 * time.Second)))

	ring.ApplyLedger(keyring.Change{
		Epoch: epoch, Seq: 2, Prev: "the head before", Head: "the new head",
		Ops: []keyring.DigestOp{{Digest: digest, Removed: true, ID: jira.ID}},
	})
	_, standing = ring.Lookup(digest)
	fmt.Println(standing)
	_, standing = ring.Lookup(credential.DigestToken("another"))
	fmt.Println(standing)
	// Output:
	// live JIRA
	// 3s true
	// revoked
	// unknown
}
