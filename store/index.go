package store

import (
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
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
	entries map[Digest]entry
}

// index holds the live digests of one epoch. Readers need no lock but their
// shard's; changes are serialised by the Keyring.
type index struct {
	epoch  string
	shards [shardCount]shard
	counts [len(kindCodes)]atomic.Int64

	// identities only ever grows, so a position read from an entry is valid in any
	// later slice: a position is never given to another identity.
	identities atomic.Pointer[[]*Identity]
	interned   map[string]uint32 // by the encoded identity
}

func newIndex(epoch string) *index {
	idx := &index{epoch: epoch, interned: make(map[string]uint32)}
	for i := range idx.shards {
		idx.shards[i].entries = make(map[Digest]entry)
	}
	idx.identities.Store(&[]*Identity{})
	return idx
}

// A digest is uniformly distributed, so its first byte picks the shard.
func (idx *index) shard(d Digest) *shard { return &idx.shards[d[0]] }

func (idx *index) lookup(d Digest) (Key, bool) {
	s := idx.shard(d)
	s.mu.RLock()
	e, ok := s.entries[d]
	s.mu.RUnlock()
	if !ok {
		return Key{}, false
	}
	return Key{ID: e.id, ExpiresAt: e.expiresAt, Identity: (*idx.identities.Load())[e.identity]}, true
}

// apply applies every operation of c; the higher sequence number wins, so replay
// over a snapshot that is partly newer converges.
func (idx *index) apply(c change, dead *tombstones) {
	for _, op := range c.ops {
		if op.removed {
			idx.remove(op.digest)
		} else if _, revoked := dead.lookup(op.digest); !revoked {
			idx.put(op.digest, c.seq, op.key)
		}
	}
}

func (idx *index) put(d Digest, seq uint64, key Key) {
	identity := idx.intern(key.Identity)
	s := idx.shard(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, existed := s.entries[d]
	if existed && old.seq > seq {
		return
	}
	s.entries[d] = entry{id: key.ID, seq: seq, expiresAt: key.ExpiresAt, identity: identity}
	if !existed {
		idx.counts[kindCode(key.Kind)].Add(1)
	}
}

// remove reports whether the digest was live.
func (idx *index) remove(d Digest) bool {
	s := idx.shard(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.entries[d]
	if ok {
		delete(s.entries, d)
		idx.counts[kindCode((*idx.identities.Load())[old.identity].Kind)].Add(-1)
	}
	return ok
}

// each calls f for every digest. It may change while that lasts.
func (idx *index) each(f func(Digest, uuid.UUID)) {
	for i := range idx.shards {
		s := &idx.shards[i]
		s.mu.RLock()
		for d, e := range s.entries {
			f(d, e.id)
		}
		s.mu.RUnlock()
	}
}

func (idx *index) intern(identity *Identity) uint32 {
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

func (idx *index) count(kind Kind) int { return int(idx.counts[kindCode(kind)].Load()) }
