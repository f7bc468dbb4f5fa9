package keyring

import (
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential/credentialtest"

	"github.com/hookgate/hookgate/credential"
)

// loadedKeyring returns a keyring with n credentials, as a snapshot would make it.
func loadedKeyring(n int) *Keyring {
	k := New(&ServerClock{Local: time.Now})
	idx := NewIndex("epoch")
	for i := range n {
		idx.Put(credentialtest.Digest(i), uint64(i+1), testKey(i))
	}
	k.Install(idx, 0)
	return k
}

func minted(n int, seq uint64) Change {
	return Change{Epoch: "epoch", Seq: seq, Head: "head", Ops: []DigestOp{{Digest: credentialtest.Digest(n), ID: credentialtest.ID(n), Key: testKey(n)}}}
}

func revoked(n int, seq uint64) Change {
	return Change{Epoch: "epoch", Seq: seq, Head: "head", Ops: []DigestOp{{Digest: credentialtest.Digest(n), ID: credentialtest.ID(n), Removed: true}}}
}

func wantKeyring(t *testing.T, k *Keyring, n int, want Standing) {
	t.Helper()
	key, got := k.Lookup(credentialtest.Digest(n))
	if got != want || got != Unknown && key.ID != credentialtest.ID(n) {
		t.Errorf("credential %d is %v (%v), want %v", n, got, key.ID, want)
	}
}

func TestKeyringBeforeItsFirstLoad(t *testing.T) {
	k := New(&ServerClock{Local: time.Now})
	wantKeyring(t, k, 1, Unknown)
	if _, loaded := k.Age(time.Now()); loaded {
		t.Error("has an age before it was loaded")
	}
	if k.Count(credential.KindCallback) != 0 {
		t.Error("counts credentials")
	}
	// What was revoked here meanwhile stays revoked whatever the snapshot says.
	k.ApplyLocal(revoked(1, 9))
	idx := NewIndex("epoch")
	idx.Put(credentialtest.Digest(1), 3, testKey(1))
	k.Install(idx, 0)
	wantKeyring(t, k, 1, Revoked)
}

func TestOwnCommitAndLedgerInAnyOrder(t *testing.T) {
	orders := map[string][]func(*Keyring){
		"own first":            {own(minted(5, 1)), ledger(minted(5, 1)), own(revoked(5, 2)), ledger(revoked(5, 2))},
		"ledger first":         {ledger(minted(5, 1)), own(minted(5, 1)), ledger(revoked(5, 2)), own(revoked(5, 2))},
		"mint applied last":    {own(revoked(5, 2)), ledger(minted(5, 1)), ledger(revoked(5, 2)), own(minted(5, 1))},
		"revoked before mint":  {own(revoked(5, 2)), own(minted(5, 1))},
		"everything twice":     {own(minted(5, 1)), own(revoked(5, 2)), ledger(minted(5, 1)), ledger(revoked(5, 2)), ledger(minted(5, 1))},
		"by record, then late": {func(k *Keyring) { k.Bury(credentialtest.Digest(5), credentialtest.ID(5)) }, own(minted(5, 1)), ledger(minted(5, 1))},
	}
	for name, steps := range orders {
		t.Run(name, func(t *testing.T) {
			k := loadedKeyring(2)
			for _, step := range steps {
				step(k)
			}
			wantKeyring(t, k, 5, Revoked)
			wantKeyring(t, k, 1, Live)
			if got := k.Count(credential.KindCallback); got != 2 {
				t.Errorf("%d live credentials, want 2", got)
			}
		})
	}
}

func own(c Change) func(*Keyring)    { return func(k *Keyring) { k.ApplyLocal(c) } }
func ledger(c Change) func(*Keyring) { return func(k *Keyring) { k.ApplyLedger(c) } }

func TestOwnMintSurvivesAConcurrentResync(t *testing.T) {
	k := loadedKeyring(2)
	k.BeginSnapshot()
	idx := NewIndex("epoch") // read before the mint
	k.ApplyLocal(minted(5, 10))
	k.Install(idx, 0)
	wantKeyring(t, k, 5, Live)
	// Lost by Redis before the next resync began: it must not live on here alone.
	k.BeginSnapshot()
	k.Install(NewIndex("epoch"), 0)
	wantKeyring(t, k, 5, Unknown)
}

func TestTombstoneBeatsASnapshot(t *testing.T) {
	k := loadedKeyring(2)
	k.ApplyLedger(revoked(1, 10))
	stale := NewIndex("epoch") // a failover lost the revocation
	stale.Put(credentialtest.Digest(1), 2, testKey(1))
	k.Install(stale, 0)
	wantKeyring(t, k, 1, Revoked)
	if got := k.Count(credential.KindCallback); got != 0 {
		t.Errorf("%d live credentials", got)
	}
	// Another epoch is the operator's word that the data set is another.
	k.BeginSnapshot()
	other := NewIndex("other")
	other.Put(credentialtest.Digest(1), 1, testKey(1))
	k.Install(other, 0)
	wantKeyring(t, k, 1, Live)
}

func TestRevocationReadByAResyncHoldsAtOnce(t *testing.T) {
	k := loadedKeyring(2)
	k.Replay(NewIndex("epoch"), revoked(1, 10)) // still under way, or failing later
	wantKeyring(t, k, 1, Revoked)
	wantKeyring(t, k, 0, Live)
}

func TestAnotherHistoryIsNoticed(t *testing.T) {
	k := loadedKeyring(2)
	k.ApplyLocal(minted(5, 10))
	theirs := minted(6, 10)
	theirs.Head = "of another writer"
	if k.ApplyLedger(theirs) {
		t.Error("another change in the place of ours was taken as ours")
	}
}

func TestOwnCommitOfAnotherEpochIsNotServed(t *testing.T) {
	k := loadedKeyring(2)
	c := minted(5, 10)
	c.Epoch = "other"
	k.ApplyLocal(c)
	wantKeyring(t, k, 5, Unknown)
}

func TestAgeTakesTheLargerOfBothClocks(t *testing.T) {
	k := loadedKeyring(0)
	start := time.Now()
	k.MarkFresh(start)
	for name, test := range map[string]struct {
		now  time.Time
		want time.Duration
	}{
		"both clocks run":         {start.Add(time.Minute), time.Minute},
		"machine was suspended":   {start.Round(0).Add(time.Hour), time.Hour}, // the wall clock alone moved
		"wall clock was set back": {start.Add(-time.Hour), 0},
	} {
		if age, loaded := k.Age(test.now); age != test.want || !loaded {
			t.Errorf("%s: age %v, want %v", name, age, test.want)
		}
	}
}

func TestServerClock(t *testing.T) {
	local := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	c := &ServerClock{Local: func() time.Time { return local }}
	if !c.Now().Equal(local) {
		t.Error("before the first probe the local clock is the best guess")
	}
	server := local.Add(-time.Hour)
	c.Observe(server.Add(10*time.Millisecond), local, local.Add(20*time.Millisecond))
	if got := c.Now(); !got.Equal(server) || got.Location() != time.UTC {
		t.Errorf("now = %v, want %v", got, server)
	}
}
