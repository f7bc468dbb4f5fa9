package keyring

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/hookgate/hookgate/credential"
)

// FuzzTable compares a table with a map, whatever comes and goes.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0, 1, 0, 2, 255, 255, 255, 254, 0, 0})
	f.Add(bytes.Repeat([]byte{7, 1, 7, 2, 7, 3, 250, 9, 255, 1}, 40))
	long := make([]byte, 0, 4000)
	for i := range 2000 {
		long = append(long, byte(i*i>>3), byte(i%199))
	}
	f.Add(long)
	f.Fuzz(func(t *testing.T, steps []byte) {
		var table table
		want := make(map[credential.Digest]uint64)
		for n := 0; len(steps) >= 2; n++ {
			var d credential.Digest
			d[1], d[9] = steps[0], steps[1]>>1
			if steps[1]%2 == 0 || n%3 == 0 {
				table.put(slot{digest: d, identity: 1, seq: toUint48(uint64(n))})
				want[d] = uint64(n)
			} else {
				_, had := want[d]
				if _, removed := table.remove(&d); removed != had {
					t.Fatalf("removed %t, was there %t", removed, had)
				}
				delete(want, d)
			}
			steps = steps[2:]
		}
		seen := 0
		var before uint64
		for i := range table.slots {
			e := &table.slots[i]
			if e.identity == 0 {
				continue
			}
			if rank(&e.digest) < before {
				t.Fatal("not in order")
			}
			before = rank(&e.digest)
			seen++
		}
		if seen != len(want) || table.used != seen {
			t.Fatalf("%d digests, counted as %d, want %d", seen, table.used, len(want))
		}
		for d, n := range want {
			if e, ok := table.get(&d); !ok || e.seq.value() != n {
				t.Fatalf("%x: %t %d, want %d", d[:10], ok, e.seq.value(), n)
			}
			d[31]++
			if _, ok := table.get(&d); ok {
				t.Fatal("found what was never there")
			}
		}
	})
}

// TestChosenDigests: whoever imports digests with one beginning makes no look-up longer,
// and no table larger, than others do.
func TestChosenDigests(t *testing.T) {
	var table table
	digest := func(i int) (d credential.Digest) {
		for at := range d {
			d[at] = 0xFF
		}
		binary.BigEndian.PutUint32(d[28:], uint32(i))
		return d
	}
	const n = 10_000
	for i := range n {
		table.put(slot{digest: digest(i), identity: 1})
	}
	if slots := len(table.slots); slots > 3*n {
		t.Errorf("%d slots for %d digests", slots, n)
	}
	farthest := 0
	for i := range n {
		d := digest(i)
		at, found := table.find(&d)
		if !found {
			t.Fatalf("digest %d is gone", i)
		}
		farthest = max(farthest, at-table.home(&d))
	}
	if farthest > 200 {
		t.Errorf("a digest stands %d slots behind its home", farthest)
	}
}

// TestFullEnd: a table whose last homes are all taken grows by a few slots, and no more.
func TestFullEnd(t *testing.T) {
	var table table
	const n = 3000
	table.expected = n
	table.rebuild(n)
	homes, last := table.homes, 0
	for i := uint64(0); last < 4*overhang; i++ {
		var d credential.Digest
		binary.BigEndian.PutUint64(d[:], i)
		if table.home(&d) >= homes-overhang {
			table.put(slot{digest: d, identity: 1})
			last++
			if _, found := table.get(&d); !found {
				t.Fatalf("digest %d is not there", i)
			}
		}
	}
	if table.homes != homes || len(table.slots) > homes+6*overhang {
		t.Errorf("%d slots, %d homes; before %d homes", len(table.slots), table.homes, homes)
	}
}

func TestTableGivesMemoryBack(t *testing.T) {
	var table table
	digest := func(i int) (d credential.Digest) {
		binary.BigEndian.PutUint64(d[1:], uint64(i)*0x9E3779B97F4A7C15)
		return d
	}
	for i := range 10_000 {
		table.put(slot{digest: digest(i), identity: 1})
	}
	if n := len(table.slots); n > 10_000*150/64 {
		t.Errorf("%d slots for 10000 digests", n)
	}
	for i := range 9_900 {
		d := digest(i)
		table.remove(&d)
	}
	if n := len(table.slots); n > 600 {
		t.Errorf("%d slots for 100 digests", n)
	}
	for i := range 10_000 {
		d := digest(i)
		table.remove(&d)
	}
	if table.slots != nil {
		t.Errorf("%d slots for none", len(table.slots))
	}
}
