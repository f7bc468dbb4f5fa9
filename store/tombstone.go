package store

import (
	"sync"

	"github.com/google/uuid"
)

// tombstones remembers the digests that were revoked in the current epoch. Within
// one epoch revocation is terminal, so a tombstone beats any snapshot.
type tombstones struct {
	mu    sync.RWMutex
	epoch string
	ids   map[Digest]uuid.UUID
}

func newTombstones() *tombstones {
	return &tombstones{ids: make(map[Digest]uuid.UUID)}
}

func (t *tombstones) lookup(d Digest) (uuid.UUID, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	id, ok := t.ids[d]
	return id, ok
}

// bury remembers every digest that c removes.
func (t *tombstones) bury(c change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, op := range c.ops {
		if op.removed && (t.epoch == "" || t.epoch == c.epoch) {
			t.epoch = c.epoch
			t.ids[op.digest] = op.id
		}
	}
}

// enterEpoch forgets the tombstones of any other epoch: another epoch is another
// data set, by the operator's word.
func (t *tombstones) enterEpoch(epoch string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.epoch != epoch {
		t.epoch = epoch
		clear(t.ids)
	}
}

func (t *tombstones) each(f func(Digest)) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for d := range t.ids {
		f(d)
	}
}
