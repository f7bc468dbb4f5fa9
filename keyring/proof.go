package keyring

import (
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/proof"
)

// OpenProof opens what a credential is stored with. It returns nil where it cannot.
type OpenProof func(id uuid.UUID, v *credential.Verify) proof.Any

// opener is what proofs are opened with. Another one, with other keys maybe, is another
// pointer.
type opener struct{ open OpenProof }

// held is the proof of one credential. It is opened when it is first needed: what opens
// it can change, and most of a large keyring is not in use.
type held struct {
	id     uuid.UUID
	verify *credential.Verify
	opened atomic.Pointer[openedBy]
}

type openedBy struct {
	*opener
	proof proof.Any
}

func (h *held) open(with *opener) proof.Any {
	if with == nil {
		return nil
	}
	if done := h.opened.Load(); done != nil && done.opener == with {
		return done.proof
	}
	opened := with.open(h.id, h.verify)
	h.opened.Store(&openedBy{with, opened})
	return opened
}

// OpenWith says how proofs are opened from now on, those that are held already, too.
func (k *Keyring) OpenWith(open OpenProof) { k.opener.Store(&opener{open}) }

// heldOverhead is what is held of a proof beside its text: its parts, and the state of a
// hash or two for each secret.
const heldOverhead = 1 << 10

func (h *held) size() int64 {
	return int64(2*len(h.verify.Sealed)+2*len(h.verify.Scheme)) + heldOverhead
}

// holdProof keeps what a credential has to show beyond its token, in place of what d had
// before. The shard is locked.
func (idx *Index) holdProof(s *shard, d credential.Digest, id uuid.UUID, verify *credential.Verify) {
	if old := s.proofs[d]; old != nil && verify != nil && *old.verify == *verify && old.id == id {
		return // opened, maybe
	}
	idx.dropProof(s, d)
	if verify == nil {
		return
	}
	idx.hold(s, d, &held{id: id, verify: verify})
}

func (idx *Index) hold(s *shard, d credential.Digest, h *held) {
	if s.proofs == nil {
		s.proofs = make(map[credential.Digest]*held)
	}
	s.proofs[d] = h
	idx.proofBytes.Add(h.size())
	idx.proofChanges.Add(1)
}

func (idx *Index) dropProof(s *shard, d credential.Digest) {
	old := s.proofs[d]
	if old == nil {
		return
	}
	if delete(s.proofs, d); len(s.proofs) == 0 {
		s.proofs = nil
	}
	idx.proofBytes.Add(-old.size())
	idx.proofChanges.Add(1)
}

// eachProof calls f for every proof.
func (idx *Index) eachProof(f func(*held)) {
	for i := range idx.shards {
		s := &idx.shards[i]
		s.mu.RLock()
		all := make([]*held, 0, len(s.proofs))
		for _, h := range s.proofs {
			all = append(all, h)
		}
		s.mu.RUnlock()
		for _, h := range all {
			f(h)
		}
	}
}

// unopened is how many proofs could not be opened when somebody last looked.
type unopened struct {
	mu     sync.Mutex
	index  *Index
	with   *opener
	change uint64
	count  int
}

// Unsealable returns how many credentials have proofs that cannot be opened. It looks at
// all of them only where one has changed.
func (k *Keyring) Unsealable() int {
	idx, with := k.index.Load(), k.opener.Load()
	if idx == nil {
		return 0
	}
	u := &k.unopened
	u.mu.Lock()
	defer u.mu.Unlock()
	change := idx.proofChanges.Load()
	if u.index == idx && u.with == with && u.change == change {
		return u.count
	}
	count := 0
	idx.eachProof(func(h *held) {
		if h.open(with) == nil {
			count++
		}
	})
	u.index, u.with, u.change, u.count = idx, with, change, count
	return count
}

// ProofBytes returns about how much memory is held for proofs.
func (k *Keyring) ProofBytes() int64 {
	if idx := k.index.Load(); idx != nil {
		return idx.proofBytes.Load()
	}
	return 0
}
