package keyring

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/hookgate/hookgate/credential"
)

// FuzzTable compares a table with a map, whatever comes and goes: also digests that all
// want the same place.
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
		var before credential.Digest
		for i := range table.slots {
			e := &table.slots[i]
			if e.identity == 0 {
				continue
			}
			if seen > 0 && bytes.Compare(before[:], e.digest[:]) >= 0 {
				t.Fatal("not in order")
			}
			before = e.digest
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
