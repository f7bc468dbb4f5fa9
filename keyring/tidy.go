package keyring

import "slices"

// slack is how much may be left unused without being worth a copy.
const slack = 1024

// Tidy gives back the memory of what is gone: of digests that were removed, of identities
// that no credential has any more, and of tombstones that are past their life. It is to
// be called every now and then, and reports whether there was much.
//
// Identities are found by their position, so none can be taken out. The serving index is
// replaced by a copy, once more is gone than is left: that is never more work than it was
// to bring it in. Look-ups go on meanwhile; changes wait.
func (k *Keyring) Tidy() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.local = slices.Clip(slices.Clone(k.local))
	gave := k.tombstones.age()
	if idx := k.index.Load(); idx != nil && idx.wasteful() {
		k.index.Store(idx.copy())
		gave = true
	}
	return gave
}

// wasteful reports whether more is gone than is left.
func (idx *Index) wasteful() bool {
	live := int64(0)
	for i := range idx.counts {
		live += idx.counts[i].Load()
	}
	return idx.removed.Load() > live+slack || int64(len(*idx.identities.Load())) > 2*live+slack
}

// copy returns an index with what is in idx, and no more. Nothing may change idx meanwhile.
func (idx *Index) copy() *Index {
	fresh := NewIndex(idx.epoch)
	fresh.Expect(idx.Size())
	for i := range idx.shards {
		for _, e := range idx.shards[i].slots {
			if e.identity != 0 {
				fresh.Put(e.digest, e.seq.value(), Key{ID: e.id, ExpiresAt: int64(e.expiresAt.value()), Identity: idx.identityOf(e)})
			}
		}
		for d, h := range idx.shards[i].proofs {
			fresh.hold(&fresh.shards[i], d, h) // opened, maybe
		}
	}
	return fresh
}
