package keyring

import (
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// shardCount spreads the digests over independently locked tables.
const shardCount = 256

type shard struct {
	mu sync.RWMutex
	table
	proofs map[credential.Digest]*held // of those few that have more to show than a token
}

// Index holds the live digests of one epoch. Readers need no lock but their
// shard's; changes are serialised by the Keyring.
type Index struct {
	epoch  string
	shards [shardCount]shard
	counts [len(credential.KindCodes)]atomic.Int64
	// removed counts the digests that are gone since the index was built.
	removed atomic.Int64

	// identities only ever grows, so a position read from an entry is valid in any
	// later slice: a position is never given to another identity.
	identities atomic.Pointer[[]*Identity]
	interned   map[string]uint32 // by the encoded identity

	proofBytes   atomic.Int64
	proofChanges atomic.Uint64
}

func NewIndex(epoch string) *Index {
	idx := &Index{epoch: epoch, interned: make(map[string]uint32)}
	idx.identities.Store(&[]*Identity{})
	return idx
}

// A digest is uniformly distributed, so its first byte picks the shard.
func (idx *Index) shard(d credential.Digest) *shard { return &idx.shards[d[0]] }

func (idx *Index) lookup(d credential.Digest) (Key, bool) {
	s := idx.shard(d)
	s.mu.RLock()
	e, ok := s.get(&d)
	var proof *held
	if len(s.proofs) > 0 {
		proof = s.proofs[d]
	}
	s.mu.RUnlock()
	if !ok {
		return Key{}, false
	}
	key := Key{ID: e.id, ExpiresAt: int64(e.expiresAt.value()), Identity: idx.identityOf(e)}
	if proof != nil {
		key.Verify, key.held = proof.verify, proof
	}
	return key, true
}

// apply applies every operation of c, but for what is dead; the higher sequence number
// wins, so replay over a snapshot that is partly newer converges.
func (idx *Index) apply(c Change, dead *tombstones) {
	for _, op := range c.Ops {
		if op.Removed {
			idx.Remove(op.Digest)
		} else if !dead.has(op.Digest) {
			idx.Put(op.Digest, c.Seq, op.Key)
		}
	}
}

func (idx *Index) Put(d credential.Digest, seq uint64, key Key) {
	idx.put(slot{
		digest: d, id: key.ID, identity: idx.intern(key.Identity) + 1, seq: toUint48(seq), expiresAt: expiry(key.ExpiresAt),
	}, key.Verify)
}

// expiry takes what is before 1970 for the first millisecond after it: 0 is never.
func expiry(ms int64) uint48 {
	if ms < 0 {
		ms = 1
	}
	return toUint48(uint64(ms))
}

// put keeps what is there where that is newer.
func (idx *Index) put(e slot, verify *credential.Verify) {
	s := idx.shard(e.digest)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, existed := s.get(&e.digest)
	if existed && old.seq.value() > e.seq.value() {
		return
	}
	s.table.put(e)
	idx.holdProof(s, e.digest, e.id, verify)
	if !existed {
		idx.counts[credential.KindCode(idx.identityOf(e).Kind)].Add(1)
	}
}

func (idx *Index) identityOf(e slot) *Identity { return (*idx.identities.Load())[e.identity-1] }

// Expect says how many digests there will be, as far as known: an index that is filled
// from nothing then takes its memory at once.
func (idx *Index) Expect(n int) {
	for i := range idx.shards {
		idx.shards[i].expected = n / shardCount
	}
}

// Remove reports whether the digest was live.
func (idx *Index) Remove(d credential.Digest) bool {
	s := idx.shard(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.table.remove(&d)
	if ok {
		idx.dropProof(s, d)
		idx.counts[credential.KindCode(idx.identityOf(old).Kind)].Add(-1)
		idx.removed.Add(1)
	}
	return ok
}

// each calls f for every digest. It may change while that lasts.
func (idx *Index) each(f func(credential.Digest, uuid.UUID)) {
	for i := range idx.shards {
		s := &idx.shards[i]
		s.mu.RLock()
		for _, e := range s.slots {
			if e.identity != 0 {
				f(e.digest, e.id)
			}
		}
		s.mu.RUnlock()
	}
}

func (idx *Index) intern(identity *Identity) uint32 {
	var buf [128]byte
	encoded := appendIdentity(buf[:0], identity)
	if n, ok := idx.interned[string(encoded)]; ok {
		return n
	}
	all := *idx.identities.Load()
	n := uint32(len(all))
	all = append(all, identity)
	idx.identities.Store(&all)
	idx.interned[string(encoded)] = n
	return n
}

func (idx *Index) count(kind credential.Kind) int {
	return int(idx.counts[credential.KindCode(kind)].Load())
}

// Size returns the number of live digests.
func (idx *Index) Size() (n int) {
	for i := range idx.counts {
		n += int(idx.counts[i].Load())
	}
	return n
}
