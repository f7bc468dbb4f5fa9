// Package keyring is the copy in memory of every live digest, which decides while Redis
// is slow or away. It is told of changes and does no I/O itself.
package keyring

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/proof"
)

// Identity is what a keyring knows of the owner of a credential. Identities are
// shared by all credentials that are equal in these fields and never change.
type Identity struct {
	Tenant uuid.UUID
	// TenantAs is how the operator's JWT spelled the tenant.
	TenantAs   credential.TenantSpelling
	Kind       credential.Kind
	Vendor     string
	Connection string
	Label      string
	// AllowedIPs are the addresses that the credential works from; none means any.
	AllowedIPs []netip.Prefix
	// Scopes are what a credential of kind api may do, sorted.
	Scopes []string
	// Proves: each of them has a Verify of its own. Where that is lost on the way here, its
	// senders have proved nothing.
	Proves bool
	// Disabled: it is refused until an operator enables it again.
	Disabled bool
	// InGrace: it was rotated out, and its expiry is the end of its grace.
	InGrace bool
}

// Key is one credential as a keyring holds it.
type Key struct {
	ID uuid.UUID
	// ExpiresAt is in milliseconds since the Unix epoch, in Redis time; 0 = never.
	ExpiresAt int64
	// Identity is nil for a revoked credential.
	*Identity
	// Verify is how its senders prove themselves beyond the token; nil: by nothing of its
	// own. Proof is the same with its secrets opened, as Lookup returns it; nil where they
	// cannot be.
	Verify *credential.Verify
	Proof  proof.Any

	held *held
}

// Standing says what a keyring knows of a digest.
type Standing uint8

// The standings of a digest. A credential past its expiry is Live with an
// ExpiresAt in the past: only the caller knows the time of the request.
const (
	Unknown Standing = iota
	Live
	Revoked
)

// Keyring is the in-memory copy of every live digest. It is complete, so an
// unknown token is decided locally and never asks Redis. Safe for concurrent use.
type Keyring struct {
	clock *ServerClock

	index atomic.Pointer[Index]     // nil until the first load
	Fresh atomic.Pointer[time.Time] // local time before the last successful probe was sent

	// mu serialises all changes: the follower's and those that this process
	// commits and applies itself before it acknowledges them.
	mu         sync.Mutex
	local      []Change // committed here, maybe not yet seen in the ledger
	tombstones *tombstones

	opener   atomic.Pointer[opener] // nil: there is nothing to open proofs with
	unopened unopened
	expiring expiring
}

func New(clock *ServerClock) *Keyring {
	return &Keyring{clock: clock, tombstones: newTombstones(clock.Local)}
}

// Lookup returns what is known of a digest. It does no I/O, and does not allocate but where
// it is the first to need a proof.
func (k *Keyring) Lookup(d credential.Digest) (Key, Standing) {
	if idx := k.index.Load(); idx != nil {
		if key, ok := idx.lookup(d); ok {
			if key.held != nil {
				key.Proof = key.held.open(k.opener.Load())
				key.held = nil
			}
			return key, Live
		}
	}
	if id, ok := k.tombstones.lookup(d); ok {
		return Key{ID: id}, Revoked
	}
	return Key{}, Unknown
}

// Age returns how long ago the keyring was last proved equal to Redis, and false
// while it has never been. Both clocks count, the larger wins: the monotonic one
// stops while a virtual machine is suspended, the wall clock can be set back.
func (k *Keyring) Age(now time.Time) (time.Duration, bool) {
	fresh := k.Fresh.Load()
	if fresh == nil {
		return 0, false
	}
	return max(now.Sub(*fresh), now.Round(0).Sub(fresh.Round(0)), 0), true
}

// ServerTime translates a local time to the clock of Redis, by which expiry is judged.
func (k *Keyring) ServerTime(local time.Time) time.Time { return k.clock.At(local) }

// Count returns the number of live credentials of a kind, expired ones included.
func (k *Keyring) Count(kind credential.Kind) int {
	idx := k.index.Load()
	if idx == nil {
		return 0
	}
	return idx.count(kind)
}

// Size returns the number of live credentials.
func (k *Keyring) Size() int {
	if idx := k.index.Load(); idx != nil {
		return idx.Size()
	}
	return 0
}

func (k *Keyring) MarkFresh(sent time.Time) { k.Fresh.Store(&sent) }

// ApplyLocal applies a change that this process has just committed, so that it
// holds here before it is acknowledged. The ledger brings it again; applying a
// change twice is harmless, the higher sequence number wins.
func (k *Keyring) ApplyLocal(c Change) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.local = append(k.local, c)
	k.tombstones.bury(c)
	idx := k.index.Load()
	if idx == nil {
		return
	}
	if idx.epoch == "" {
		idx.epoch = c.Epoch // our commit was the first of the data set
	}
	if idx.epoch == c.Epoch {
		idx.apply(c, k.tombstones)
	}
}

// Bury makes one digest of the present data set refused from now on, on the word
// of its record.
func (k *Keyring) Bury(d credential.Digest, id uuid.UUID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	idx := k.index.Load()
	if idx == nil {
		return
	}
	k.tombstones.bury(Change{Epoch: idx.epoch, Ops: []DigestOp{{Digest: d, Removed: true, ID: id}}})
	idx.Remove(d)
}

// KnownEpoch returns the epoch of the data set this process follows, or "" if it
// never knew one.
func (k *Keyring) KnownEpoch() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if idx := k.index.Load(); idx != nil {
		return idx.epoch
	}
	return ""
}

// declaredSlack is how much earlier than the last sight of the old data set a new
// one may have been declared: two servers' clocks are never quite equal.
const declaredSlack = 2 * time.Second

// Adopts reports whether the data set that m is the head of may take the place of
// the known one: if none is known, if it is the same, or if an operator declared
// it after the known one was last seen. Any other is foreign, or what is left of an
// emptied Redis, and to take it would make every token unknown.
func (k *Keyring) Adopts(m Meta) bool {
	known := k.KnownEpoch()
	if known == "" || m.Epoch == known {
		return true
	}
	fresh := k.Fresh.Load()
	return m.Epoch != "" && fresh != nil && m.Declared.After(k.clock.At(*fresh).Add(-declaredSlack))
}

// ApplyLedger applies the next change of the ledger to the serving index. It
// returns false where Redis has, at the place of a change that was committed here,
// another one: a failover lost ours, and only a resync can tell what is left.
func (k *Keyring) ApplyLedger(c Change) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tombstones.bury(c)
	k.index.Load().apply(c, k.tombstones)
	intact := true
	k.local = slices.DeleteFunc(k.local, func(own Change) bool {
		if own.Seq == c.Seq && own.Head != c.Head {
			intact = false
		}
		return own.Seq <= c.Seq
	})
	return intact
}

// LastCommitted returns the sequence number of the newest change that was committed
// here and has not come back through the ledger, 0 for none. A data set that is older
// although it was looked at later has lost that change, in a failover say, and nothing
// else may ever tell: the chain as far as it has been followed is intact.
func (k *Keyring) LastCommitted() (seq uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.local {
		seq = max(seq, c.Seq)
	}
	return seq
}

// BeginSnapshot is called before the first read of a snapshot: what was committed
// here before is in it, or was lost by Redis and must not live on here alone,
// where nobody could revoke it.
func (k *Keyring) BeginSnapshot() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.local = nil
}

// EnterEpoch gives the data set another epoch, on an operator's word, where it has the
// same history and so the same digests. What was revoked in it is gone from both.
func (k *Keyring) EnterEpoch(epoch string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.index.Load().epoch = epoch
	k.tombstones.enterEpoch(epoch)
	k.local = nil
}

// Replay applies a ledger entry to an index that is not serving yet, and that holds what
// Redis holds: what is revoked here in spite of it is for Install to find. What the entry
// revokes is refused at once, by the serving index too.
func (k *Keyring) Replay(idx *Index, c Change) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tombstones.bury(c)
	idx.apply(c, nil)
	if serving := k.index.Load(); serving != nil && serving.epoch == c.Epoch {
		for _, op := range c.Ops {
			if op.Removed {
				serving.Remove(op.Digest)
			}
		}
	}
}

// Missing returns what is live in the serving index and not in idx, of the same data
// set.
func (k *Keyring) Missing(idx *Index) map[credential.Digest]uuid.UUID {
	missing := make(map[credential.Digest]uuid.UUID)
	if k.KnownEpoch() == idx.epoch && k.index.Load() != nil { // only installing replaces it, which the follower does itself
		k.index.Load().each(func(d credential.Digest, id uuid.UUID) {
			if _, ok := idx.lookup(d); !ok {
				missing[d] = id
			}
		})
	}
	return missing
}

// Install makes a freshly built index the serving one, which has everything up to
// the change seq. What was committed here after that is applied first, and digests revoked in this epoch
// stay revoked whatever the snapshot says: a failover that lost a revocation must
// not bring the token back. It returns those, which Redis has to be told again.
func (k *Keyring) Install(idx *Index, seq uint64) (lost map[credential.Digest]uuid.UUID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := len(k.local); idx.epoch == "" && n > 0 {
		idx.epoch = k.local[n-1].Epoch // our commit has begun the data set meanwhile
	}
	k.tombstones.enterEpoch(idx.epoch)
	// What is older may have been undone since, by a change that the index has seen.
	k.local = slices.DeleteFunc(k.local, func(c Change) bool { return c.Seq <= seq || c.Epoch != idx.epoch })
	for _, c := range k.local {
		idx.apply(c, k.tombstones)
	}
	lost = make(map[credential.Digest]uuid.UUID)
	for d, id := range k.tombstones.all() {
		if idx.Remove(d) {
			lost[d] = id
		}
	}
	k.index.Store(idx)
	return lost
}

func (s Standing) String() string { return [...]string{"unknown", "live", "revoked"}[s] }
