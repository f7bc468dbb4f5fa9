package keyring

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/credential/credentialtest"
	"github.com/hookgate/hookgate/proof"
)

// TestProofsAreOpenedOnce: for each way of opening, when they are first needed; what
// cannot be opened counts, and what is replaced or removed does not.
func TestProofsAreOpenedOnce(t *testing.T) {
	ring := New(&ServerClock{Local: time.Now})
	opened, refuse := 0, false
	open := func(uuid.UUID, *credential.Verify) proof.Any {
		opened++
		if refuse {
			return nil
		}
		return proof.Any{new(proof.Verifier)}
	}
	idx := NewIndex("epoch")
	d, key := credentialtest.Digest(1), sampleKeys()[6]
	idx.Put(d, 1, key)
	idx.Put(credentialtest.Digest(2), 1, testKey(2))
	ring.Install(idx, 1)

	if got, _ := ring.Lookup(d); got.Proof != nil || !got.Proves || ring.Unsealable() != 1 {
		t.Errorf("with nothing to open it: %+v, %d", got, ring.Unsealable())
	}
	ring.OpenWith(open)
	for range 2 {
		if got, _ := ring.Lookup(d); len(got.Proof) != 1 || ring.Unsealable() != 0 {
			t.Errorf("%+v, %d", got, ring.Unsealable())
		}
	}
	if got, _ := ring.Lookup(credentialtest.Digest(2)); got.Proof != nil || got.Proves {
		t.Errorf("one without: %+v", got)
	}
	if opened != 1 {
		t.Errorf("opened %d times", opened)
	}
	refuse = true
	ring.OpenWith(open)
	if got, _ := ring.Lookup(d); got.Proof != nil || ring.Unsealable() != 1 {
		t.Errorf("what opens it has changed: %+v, %d", got, ring.Unsealable())
	}
	before := ring.ProofBytes()
	idx.Put(d, 2, key)
	if ring.ProofBytes() != before || before <= int64(len(key.Verify.Sealed)) {
		t.Errorf("%d and %d bytes", before, ring.ProofBytes())
	}
	key.Verify, key.Identity = nil, testKey(1).Identity
	idx.Put(d, 3, key)
	if got, _ := ring.Lookup(d); got.Verify != nil || ring.Unsealable() != 0 || ring.ProofBytes() != 0 {
		t.Errorf("taken away: %+v, %d, %d bytes", got, ring.Unsealable(), ring.ProofBytes())
	}
}

// TestTidyKeepsProofs: what a credential has to show stays, opened as it was, where the
// memory of others is given back.
func TestTidyKeepsProofs(t *testing.T) {
	ring := New(&ServerClock{Local: time.Now})
	opened := 0
	ring.OpenWith(func(uuid.UUID, *credential.Verify) proof.Any {
		opened++
		return proof.Any{new(proof.Verifier)}
	})
	idx := NewIndex("epoch")
	d, key := credentialtest.Digest(1), sampleKeys()[6]
	idx.Put(d, 1, key)
	ring.Install(idx, 1)
	ring.Lookup(d)
	before := ring.ProofBytes()
	for n := 2; n < 2*slack; n++ {
		idx.Put(credentialtest.Digest(n), 1, testKey(n))
		idx.Remove(credentialtest.Digest(n))
	}
	if !ring.Tidy() {
		t.Fatal("tidying gave nothing back")
	}
	got, standing := ring.Lookup(d)
	if standing != Live || len(got.Proof) != 1 || *got.Verify != *key.Verify || opened != 1 {
		t.Errorf("%v, %+v, opened %d times", standing, got, opened)
	}
	if ring.ProofBytes() != before || ring.Unsealable() != 0 {
		t.Errorf("%d bytes of %d, %d cannot be opened", ring.ProofBytes(), before, ring.Unsealable())
	}
}
