package keyring

import (
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

const (
	// tombstoneLife is how long a tombstone is kept at least: longer than any failover
	// takes to come to light, and any replica to lag behind.
	tombstoneLife = 24 * time.Hour
	// tombstoneLimit bounds one generation, about 100 bytes each.
	tombstoneLimit = 1 << 20
)

// tombstones remembers the digests that were revoked in the current epoch. Within
// one epoch revocation is terminal, so a tombstone beats any snapshot.
//
// They come in two generations. The younger one takes what is buried; when it has
// reached its life or its limit it becomes the older one, and what was older is
// forgotten: by then every Redis that could still be failed over to knows.
type tombstones struct {
	now Clock

	mu      sync.RWMutex
	epoch   string
	younger map[credential.Digest]uuid.UUID // to the credential's id
	older   map[credential.Digest]uuid.UUID
	since   time.Time // when the younger generation began
}

func newTombstones(now Clock) *tombstones {
	return &tombstones{now: now, younger: make(map[credential.Digest]uuid.UUID), since: now()}
}

func (t *tombstones) lookup(d credential.Digest) (uuid.UUID, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if id, ok := t.younger[d]; ok {
		return id, true
	}
	id, ok := t.older[d]
	return id, ok
}

// has reports whether a digest was revoked; in no tombstones none was.
func (t *tombstones) has(d credential.Digest) bool {
	if t == nil {
		return false
	}
	_, revoked := t.lookup(d)
	return revoked
}

// bury remembers every digest that c removes.
func (t *tombstones) bury(c Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, op := range c.Ops {
		if op.Removed && (t.epoch == "" || t.epoch == c.Epoch) {
			t.epoch = c.Epoch
			t.younger[op.Digest] = op.ID
		}
	}
	t.turn()
}

// turn begins a new generation where the younger one is old or large, and reports whether
// that forgot any.
func (t *tombstones) turn() bool {
	now := t.now()
	if now.Sub(t.since) < tombstoneLife && len(t.younger) < tombstoneLimit {
		return false
	}
	forgot := len(t.older) > 0
	t.older, t.younger, t.since = t.younger, make(map[credential.Digest]uuid.UUID), now
	return forgot
}

// age forgets what is old even where nothing is buried any more.
func (t *tombstones) age() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.turn()
}

// enterEpoch forgets the tombstones of any other epoch: another epoch is another
// data set, by the operator's word.
func (t *tombstones) enterEpoch(epoch string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.epoch != epoch {
		t.epoch = epoch
		t.younger, t.older = make(map[credential.Digest]uuid.UUID), nil
	}
}

// all returns every tombstone.
func (t *tombstones) all() map[credential.Digest]uuid.UUID {
	t.mu.RLock()
	defer t.mu.RUnlock()
	all := maps.Clone(t.younger)
	maps.Copy(all, t.older)
	return all
}
