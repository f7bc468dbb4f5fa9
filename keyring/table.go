package keyring

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"slices"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// slot is one live digest, in 64 bytes, a cache line: what a look-up reads. It holds no
// pointers, so the garbage collector never walks the slots: with a million credentials
// that is 2 ms instead of over 100 for a full collection.
type slot struct {
	digest    credential.Digest
	id        uuid.UUID
	identity  uint32 // its position plus one; 0 where the slot is free
	seq       uint48
	expiresAt uint48
}

// uint48 holds milliseconds until the year 10889, and as many changes.
type uint48 [6]byte

const maxUint48 = 1<<48 - 1

func toUint48(n uint64) (u uint48) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], min(n, maxUint48))
	copy(u[:], b[2:])
	return u
}

func (u uint48) value() uint64 {
	var b [8]byte
	copy(b[2:], u[:])
	return binary.BigEndian.Uint64(b[:])
}

const (
	// fullest and emptiest are between which shares of its slots a table is filled, and
	// rebuilt the one to which it is rebuilt.
	fullest, rebuilt, emptiest = 0.75, 0.60, 0.20
	// overhang is how many slots stand behind the last home, for what is pushed there.
	overhang = 8
)

// table is a hash table of one shard, kept in the order of its digests' ranks. The home of
// a digest is where it would stand if the ranks were spread evenly; it stands there or
// further on, with no free slot between. So a look-up reads on from the home, and ends at a
// free slot or at a larger rank.
type table struct {
	slots    []slot
	homes    int
	used     int
	expected int // how many digests there will be, as far as known
}

// rankSeed is of this process. Operators may import any digest: without a seed, digests
// with one beginning would all have one home, and a tenant could make the look-ups of all
// others as long as it likes.
var rankSeed = maphash.MakeSeed()

// rank spreads digests evenly, however they were chosen.
func rank(d *credential.Digest) uint64 { return maphash.Bytes(rankSeed, d[:]) }

func (t *table) home(d *credential.Digest) int {
	hi, _ := bits.Mul64(rank(d), uint64(t.homes))
	return int(hi)
}

// find returns where a digest stands, or has to stand.
func (t *table) find(d *credential.Digest) (i int, found bool) {
	if t.homes == 0 {
		return 0, false
	}
	wanted := rank(d)
	for i = t.home(d); i < len(t.slots) && t.slots[i].identity != 0; i++ {
		here := rank(&t.slots[i].digest)
		if here < wanted {
			continue
		}
		if here > wanted {
			return i, false
		}
		if order := bytes.Compare(t.slots[i].digest[:], d[:]); order >= 0 {
			return i, order == 0
		}
	}
	return i, false
}

func (t *table) get(d *credential.Digest) (slot, bool) {
	if i, found := t.find(d); found {
		return t.slots[i], true
	}
	return slot{}, false
}

// put adds a slot, or replaces the one with the same digest.
func (t *table) put(s slot) {
	i, found := t.find(&s.digest)
	if found {
		t.slots[i] = s
		return
	}
	if float64(t.used+1) > fullest*float64(t.homes) {
		t.rebuild(t.used + 1)
		i, _ = t.find(&s.digest)
	}
	free := t.freeFrom(i)
	if free == len(t.slots) {
		t.slots = append(slices.Clip(t.slots), make([]slot, overhang)...)
	}
	copy(t.slots[i+1:free+1], t.slots[i:free])
	t.slots[i] = s
	t.used++
}

func (t *table) freeFrom(i int) int {
	for i < len(t.slots) && t.slots[i].identity != 0 {
		i++
	}
	return i
}

// remove returns what stood there.
func (t *table) remove(d *credential.Digest) (slot, bool) {
	i, found := t.find(d)
	if !found {
		return slot{}, false
	}
	old := t.slots[i]
	// What was pushed away from its home moves back.
	end := i + 1
	for end < len(t.slots) && t.slots[end].identity != 0 && t.home(&t.slots[end].digest) < end {
		end++
	}
	copy(t.slots[i:end-1], t.slots[i+1:end])
	t.slots[end-1] = slot{}
	t.used--
	if float64(t.used) < emptiest*float64(t.homes) {
		t.expected = 0
		t.rebuild(t.used)
	}
	return old, true
}

// rebuild gives the table room for n digests and some more.
func (t *table) rebuild(n int) {
	old := t.slots
	if n == 0 {
		*t = table{}
		return
	}
	t.homes = max(int(float64(n)/rebuilt)+1, int(float64(t.expected)/(fullest-0.05)))
	t.slots = make([]slot, t.homes+overhang)
	// In the order of their ranks each goes to its home, or behind the one before it.
	next := 0
	for i := range old {
		if old[i].identity == 0 {
			continue
		}
		next = max(next, t.home(&old[i].digest))
		if next == len(t.slots) {
			t.slots = append(t.slots, slot{})
		}
		t.slots[next] = old[i]
		next++
	}
}
