package store

import (
	"testing"
	"time"
)

// loadedKeyring returns a keyring with n credentials, as a snapshot would make it.
func loadedKeyring(n int) *Keyring {
	k := newKeyring(&serverClock{local: time.Now})
	idx := newIndex("epoch")
	for i := range n {
		idx.put(testDigest(i), uint64(i+1), testKey(i))
	}
	k.install(idx, 0)
	return k
}

func minted(n int, seq uint64) change {
	return change{epoch: "epoch", seq: seq, head: "head", ops: []digestOp{{digest: testDigest(n), id: testID(n), key: testKey(n)}}}
}

func revoked(n int, seq uint64) change {
	return change{epoch: "epoch", seq: seq, head: "head", ops: []digestOp{{digest: testDigest(n), id: testID(n), removed: true}}}
}

func wantKeyring(t *testing.T, k *Keyring, n int, want Standing) {
	t.Helper()
	key, got := k.Lookup(testDigest(n))
	if got != want || got != Unknown && key.ID != testID(n) {
		t.Errorf("credential %d is %v (%v), want %v", n, got, key.ID, want)
	}
}

func TestKeyringBeforeItsFirstLoad(t *testing.T) {
	k := newKeyring(&serverClock{local: time.Now})
	wantKeyring(t, k, 1, Unknown)
	if _, loaded := k.Age(time.Now()); loaded {
		t.Error("has an age before it was loaded")
	}
	if k.Count(KindCallback) != 0 {
		t.Error("counts credentials")
	}
	// What was revoked here meanwhile stays revoked whatever the snapshot says.
	k.applyLocal(revoked(1, 9))
	idx := newIndex("epoch")
	idx.put(testDigest(1), 3, testKey(1))
	k.install(idx, 0)
	wantKeyring(t, k, 1, Revoked)
}

func TestOwnCommitAndLedgerInAnyOrder(t *testing.T) {
	orders := map[string][]func(*Keyring){
		"own first":            {own(minted(5, 1)), ledger(minted(5, 1)), own(revoked(5, 2)), ledger(revoked(5, 2))},
		"ledger first":         {ledger(minted(5, 1)), own(minted(5, 1)), ledger(revoked(5, 2)), own(revoked(5, 2))},
		"mint applied last":    {own(revoked(5, 2)), ledger(minted(5, 1)), ledger(revoked(5, 2)), own(minted(5, 1))},
		"revoked before mint":  {own(revoked(5, 2)), own(minted(5, 1))},
		"everything twice":     {own(minted(5, 1)), own(revoked(5, 2)), ledger(minted(5, 1)), ledger(revoked(5, 2)), ledger(minted(5, 1))},
		"by record, then late": {func(k *Keyring) { k.bury(testDigest(5), testID(5)) }, own(minted(5, 1)), ledger(minted(5, 1))},
	}
	for name, steps := range orders {
		t.Run(name, func(t *testing.T) {
			k := loadedKeyring(2)
			for _, step := range steps {
				step(k)
			}
			wantKeyring(t, k, 5, Revoked)
			wantKeyring(t, k, 1, Live)
			if got := k.Count(KindCallback); got != 2 {
				t.Errorf("%d live credentials, want 2", got)
			}
		})
	}
}

func own(c change) func(*Keyring)    { return func(k *Keyring) { k.applyLocal(c) } }
func ledger(c change) func(*Keyring) { return func(k *Keyring) { k.applyLedger(c) } }

func TestOwnMintSurvivesAConcurrentResync(t *testing.T) {
	k := loadedKeyring(2)
	k.beginSnapshot()
	idx := newIndex("epoch") // read before the mint
	k.applyLocal(minted(5, 10))
	k.install(idx, 0)
	wantKeyring(t, k, 5, Live)
	// Lost by Redis before the next resync began: it must not live on here alone.
	k.beginSnapshot()
	k.install(newIndex("epoch"), 0)
	wantKeyring(t, k, 5, Unknown)
}

func TestTombstoneBeatsASnapshot(t *testing.T) {
	k := loadedKeyring(2)
	k.applyLedger(revoked(1, 10))
	stale := newIndex("epoch") // a failover lost the revocation
	stale.put(testDigest(1), 2, testKey(1))
	k.install(stale, 0)
	wantKeyring(t, k, 1, Revoked)
	if got := k.Count(KindCallback); got != 0 {
		t.Errorf("%d live credentials", got)
	}
	// Another epoch is the operator's word that the data set is another.
	k.beginSnapshot()
	other := newIndex("other")
	other.put(testDigest(1), 1, testKey(1))
	k.install(other, 0)
	wantKeyring(t, k, 1, Live)
}

func TestRevocationReadByAResyncHoldsAtOnce(t *testing.T) {
	k := loadedKeyring(2)
	k.replay(newIndex("epoch"), revoked(1, 10)) // still under way, or failing later
	wantKeyring(t, k, 1, Revoked)
	wantKeyring(t, k, 0, Live)
}

func TestAnotherHistoryIsNoticed(t *testing.T) {
	k := loadedKeyring(2)
	k.applyLocal(minted(5, 10))
	theirs := minted(6, 10)
	theirs.head = "of another writer"
	if k.applyLedger(theirs) {
		t.Error("another change in the place of ours was taken as ours")
	}
}

func TestOwnCommitOfAnotherEpochIsNotServed(t *testing.T) {
	k := loadedKeyring(2)
	c := minted(5, 10)
	c.epoch = "other"
	k.applyLocal(c)
	wantKeyring(t, k, 5, Unknown)
}

func TestAgeTakesTheLargerOfBothClocks(t *testing.T) {
	k := loadedKeyring(0)
	start := time.Now()
	k.markFresh(start)
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
	c := &serverClock{local: func() time.Time { return local }}
	if !c.now().Equal(local) {
		t.Error("before the first probe the local clock is the best guess")
	}
	server := local.Add(-time.Hour)
	c.observe(server.Add(10*time.Millisecond), local, local.Add(20*time.Millisecond))
	if got := c.now(); !got.Equal(server) || got.Location() != time.UTC {
		t.Errorf("now = %v, want %v", got, server)
	}
}
