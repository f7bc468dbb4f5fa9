package keyring

import "slices"

// slack is how much may be left unused without being worth a copy.
const slack = 1024

// Tidy gives back the memory of what is gone: of identities that no credential has any
// more, and of tombstones that are past their life. It is to be called every now and then,
// and reports whether there was much. Tables of digests shrink by themselves.
//
// Identities are found by their position, which nothing else may get. So the serving index
// is replaced by a copy, once there are twice as many as there are credentials: that is
// never more work than it was to bring them in. Look-ups go on meanwhile; changes wait.
func (k *Keyring) Tidy() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.local = slices.Clip(slices.Clone(k.local))
	gave := k.tombstones.age()
	if idx := k.index.Load(); idx != nil && len(*idx.identities.Load()) > 2*idx.live()+slack {
		k.index.Store(idx.tidied())
		gave = true
	}
	return gave
}

func (idx *Index) live() (n int) {
	for i := range idx.counts {
		n += int(idx.counts[i].Load())
	}
	return n
}

// tidied returns an index with what is in idx, and no more. Nothing may change idx
// meanwhile.
func (idx *Index) tidied() *Index {
	fresh := NewIndex(idx.epoch)
	fresh.Expect(idx.live())
	positions := make(map[uint32]uint32) // from those of idx
	for i := range idx.shards {
		for _, e := range idx.shards[i].slots {
			if e.identity == 0 {
				continue
			}
			position := positions[e.identity]
			if position == 0 {
				position = fresh.intern(idx.identityOf(e)) + 1
				positions[e.identity] = position
			}
			e.identity = position
			fresh.put(e)
		}
	}
	return fresh
}
