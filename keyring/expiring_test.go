package keyring

import (
	"reflect"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/credential/credentialtest"
)

func TestExpiring(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	k := New(&ServerClock{Local: func() time.Time { return now }})
	want := Expiring{credential.KindCallback: {}, credential.KindWebhook: {}, credential.KindAPI: {}}
	if got := k.Expiring(now); !reflect.DeepEqual(got, want) {
		t.Errorf("of no keyring: %v", got)
	}
	idx := NewIndex("epoch")
	day := 24 * time.Hour
	put := func(n int, kind credential.Kind, in time.Duration, disabled bool) {
		key := Key{ID: credentialtest.ID(n), Identity: &Identity{Kind: kind, Disabled: disabled}}
		if in != 0 {
			key.ExpiresAt = now.Add(in).UnixMilli()
		}
		idx.Put(credentialtest.Digest(n), uint64(n), key)
	}
	put(1, credential.KindCallback, 0, false)          // never
	put(2, credential.KindCallback, -time.Hour, false) // has expired
	put(3, credential.KindCallback, day, false)        // within all
	put(4, credential.KindCallback, 8*day, true)       // disabled
	put(5, credential.KindWebhook, 7*day, false)       // within the later two
	put(6, credential.KindAPI, 30*day+1e6, false)      // in more than that
	put(7, credential.KindAPI, time.Minute, false)     // revoked below
	idx.Put(credentialtest.Digest(8), 7, Key{ID: credentialtest.ID(8), ExpiresAt: now.Add(day).UnixMilli(), Identity: &Identity{Kind: credential.KindAPI, InGrace: true}})
	k.Install(idx, 7)
	k.ApplyLocal(Change{Epoch: "epoch", Seq: 8, Ops: []DigestOp{{Digest: credentialtest.Digest(7), Removed: true, ID: credentialtest.ID(7)}}})
	want[credential.KindCallback], want[credential.KindWebhook] = [3]int{1, 1, 2}, [3]int{0, 1, 1}
	if got := k.Expiring(now); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	now = now.Add(day)
	want[credential.KindCallback], want[credential.KindWebhook], want[credential.KindAPI] = [3]int{0, 1, 1}, [3]int{0, 1, 1}, [3]int{0, 0, 1}
	if got := k.Expiring(now); !reflect.DeepEqual(got, want) {
		t.Errorf("a day later %v, want %v", got, want)
	}
}

// TestExpiringOfManyIsCountedOnceAMinute: a scrape does not pay for a large keyring.
func TestExpiringOfManyIsCountedOnceAMinute(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	k := New(&ServerClock{Local: func() time.Time { return now }})
	idx := NewIndex("epoch")
	for n := range countedAlways + 1 {
		idx.Put(credentialtest.Digest(n), uint64(n), Key{ID: credentialtest.ID(n), ExpiresAt: now.Add(time.Hour).UnixMilli(), Identity: &Identity{Kind: credential.KindCallback}})
	}
	k.Install(idx, countedAlways+1)
	count := func() int { return k.Expiring(now)[credential.KindCallback][0] }
	if got := count(); got != countedAlways+1 {
		t.Errorf("%d expire", got)
	}
	more := countedAlways + 1
	k.ApplyLocal(Change{Epoch: "epoch", Seq: uint64(more) + 1, Ops: []DigestOp{{
		Digest: credentialtest.Digest(more), ID: credentialtest.ID(more),
		Key: Key{ID: credentialtest.ID(more), ExpiresAt: now.Add(time.Hour).UnixMilli(), Identity: &Identity{Kind: credential.KindCallback}},
	}}})
	if now = now.Add(countedEvery - 1); count() != countedAlways+1 {
		t.Error("counted again within the minute")
	}
	if now = now.Add(1); count() != countedAlways+2 {
		t.Error("not counted again after the minute")
	}
}

func BenchmarkExpiring(b *testing.B) {
	idx := NewIndex("epoch")
	now := time.UnixMilli(1_800_000_000_000)
	identity := &Identity{Kind: credential.KindCallback}
	for n := range 1_000_000 {
		idx.Put(credentialtest.Digest(n), uint64(n), Key{ID: credentialtest.ID(n), ExpiresAt: now.Add(time.Hour).UnixMilli(), Identity: identity})
	}
	for b.Loop() {
		idx.countExpiring(now)
	}
}
