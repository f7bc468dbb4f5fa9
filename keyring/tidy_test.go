package keyring

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/credential/credentialtest"
)

// labeled is a change that brings a credential with a label of its own.
func labeled(n, seq int, label string) Change {
	return Change{Epoch: "epoch", Seq: uint64(seq), Head: "h", Ops: []DigestOp{{
		Digest: credentialtest.Digest(n), ID: credentialtest.ID(n),
		Key: Key{ID: credentialtest.ID(n), Identity: &Identity{Tenant: credentialtest.Tenant, Kind: credential.KindCallback, Label: label}},
	}}}
}

// TestMemoryIsGivenBack: what was removed, and what credentials were once called, leaves
// with the next tidying, and tombstones when they are past their life. What is live stays.
func TestMemoryIsGivenBack(t *testing.T) {
	const many, left = 50_000, 100
	now := time.Now()
	k := New(&ServerClock{Local: func() time.Time { return now }})
	k.Install(NewIndex("epoch"), 0)
	before := Heap()
	for n := range many {
		k.ApplyLedger(labeled(n, n+1, fmt.Sprintf("a label that only credential %d has", n)))
	}
	for n := left; n < many; n++ {
		k.ApplyLedger(Change{Epoch: "epoch", Seq: uint64(many + n + 1), Head: "h", Ops: []DigestOp{{Digest: credentialtest.Digest(n), Removed: true, ID: credentialtest.ID(n)}}})
	}
	full := Heap() - before
	if !k.Tidy() || k.Tidy() {
		t.Error("tidying gave nothing back, or twice")
	}
	buried := Heap() - before
	for n := range many { // a credential that is called something else every time
		k.ApplyLedger(labeled(0, 2*many+n+1, fmt.Sprintf("label %d of the one credential", n)))
	}
	k.Tidy()
	renamed := Heap() - before
	for n := range left {
		if key, standing := k.Lookup(credentialtest.Digest(n)); standing != Live || key.ID != credentialtest.ID(n) || n > 0 && key.Label != fmt.Sprintf("a label that only credential %d has", n) {
			t.Fatalf("credential %d is %v, %+v", n, standing, key)
		}
	}
	if k.Count(credential.KindCallback) != left {
		t.Errorf("%d are counted", k.Count(credential.KindCallback))
	}
	if _, standing := k.Lookup(credentialtest.Digest(many - 1)); standing != Revoked {
		t.Errorf("a removed one is %v", standing)
	}
	for range 2 {
		now = now.Add(tombstoneLife)
		k.Tidy()
	}
	forgotten := int64(Heap()) - int64(before)
	if _, standing := k.Lookup(credentialtest.Digest(many - 1)); standing != Unknown {
		t.Errorf("past the life of its tombstone it is %v", standing)
	}
	runtime.KeepAlive(k)
	const tombstone = 130 // bytes at most
	if full < 15<<20 || buried > many*tombstone || renamed > many*tombstone+1<<20 || forgotten > 1<<20 {
		t.Errorf("%d bytes for all, %d for tombstones, %d after renaming, %d in the end", full, buried, renamed, forgotten)
	}
}
