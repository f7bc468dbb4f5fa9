package keyring

import (
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// shardCount spreads the digests over independently locked maps. Values hold no
// pointers, so the garbage collector never walks the entries: with a million
// credentials that is 2 ms instead of over 100 for a full collection.
const shardCount = 256

// entry is the pointer-free form of a Key.
type entry struct {
	id        uuid.UUID
	seq       uint64
	expiresAt int64
	identity  uint32
}

type shard struct {
	mu      sync.RWMutex
	entries map[credential.Digest]entry
	proofs  map[credential.Digest]*held // of those few that have more to show than a token
}

// Index holds the live digests of one epoch. Readers need no lock but their
// shard's; changes are serialised by the Keyring.
type Index struct {
	epoch  string
	shards [shardCount]shard
	counts [len(credential.KindCodes)]atomic.Int64

	// identities only ever grows, so a position read from an entry is valid in any
	// later slice: a position is never given to another identity.
	identities atomic.Pointer[[]*Identity]
	interned   map[string]uint32 // by the encoded identity

	proofBytes   atomic.Int64
	proofChanges atomic.Uint64
}

func NewIndex(epoch string) *Index {
	idx := &Index{epoch: epoch, interned: make(map[string]uint32)}
	for i := range idx.shards {
		idx.shards[i].entries = make(map[credential.Digest]entry)
	}
	idx.identities.Store(&[]*Identity{})
	return idx
}

// A digest is uniformly distributed, so its first byte picks the shard.
func (idx *Index) shard(d credential.Digest) *shard { return &idx.shards[d[0]] }

func (idx *Index) lookup(d credential.Digest) (Key, bool) {
	s := idx.shard(d)
	s.mu.RLock()
	e, ok := s.entries[d]
	var proof *held
	if len(s.proofs) > 0 {
		proof = s.proofs[d]
	}
	s.mu.RUnlock()
	if !ok {
		return Key{}, false
	}
	key := Key{ID: e.id, ExpiresAt: e.expiresAt, Identity: (*idx.identities.Load())[e.identity]}
	if proof != nil {
		key.Verify, key.held = proof.verify, proof
	}
	return key, true
}

// apply applies every operation of c; the higher sequence number wins, so replay
// over a snapshot that is partly newer converges.
func (idx *Index) apply(c Change, dead *tombstones) {
	for _, op := range c.Ops {
		if op.Removed {
			idx.remove(op.Digest)
		} else if _, revoked := dead.lookup(op.Digest); !revoked {
			idx.Put(op.Digest, c.Seq, op.Key)
		}
	}
}

func (idx *Index) Put(d credential.Digest, seq uint64, key Key) {
	identity := idx.intern(key.Identity)
	s := idx.shard(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, existed := s.entries[d]
	if existed && old.seq > seq {
		return
	}
	s.entries[d] = entry{id: key.ID, seq: seq, expiresAt: key.ExpiresAt, identity: identity}
	idx.holdProof(s, d, key)
	if !existed {
		idx.counts[credential.KindCode(key.Kind)].Add(1)
	}
}

// remove reports whether the digest was live.
func (idx *Index) remove(d credential.Digest) bool {
	s := idx.shard(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.entries[d]
	if ok {
		delete(s.entries, d)
		idx.dropProof(s, d)
		idx.counts[credential.KindCode((*idx.identities.Load())[old.identity].Kind)].Add(-1)
	}
	return ok
}

// each calls f for every digest. It may change while that lasts.
func (idx *Index) each(f func(credential.Digest, uuid.UUID)) {
	for i := range idx.shards {
		s := &idx.shards[i]
		s.mu.RLock()
		for d, e := range s.entries {
			f(d, e.id)
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
