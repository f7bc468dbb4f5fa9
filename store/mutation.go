package store

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/keyring"
)

// mutation is one atomic change: records, and the digests and client ids that go
// with them.
type mutation struct {
	tenant  uuid.UUID
	records []recordWrite
	digests []keyring.DigestOp
	clients []clientOp
	// live says which credentials count from now on, and which no longer do.
	live []countOp
	// limited: it is refused where the tenant would have more than it may have.
	limited bool
	// counted: the count is to be taken as it is.
	counted bool
	// audit describes the change in the audit log; no entry where the action is empty.
	audit auditNote
	// makes is the credential that the change makes, for a request to be repeated.
	makes uuid.UUID
	// disables: all it does is to disable a credential.
	disables bool
	// here: this process holds to the change whatever becomes of Redis, so it does not
	// wait for replicas.
	here bool
}

// urgent reports whether m keeps somebody out and lets nobody in: it is made even where
// there is no room for anything else.
func (m mutation) urgent() bool {
	return m.disables || !slices.ContainsFunc(m.digests, func(op keyring.DigestOp) bool { return !op.Removed })
}

// recordWrite creates a record (empty version) or changes the one whose version
// still is the given one.
type recordWrite struct {
	id      uuid.UUID
	version string
	set     []string // field, value, ...
	stamps  []string // fields set to the time of the commit
}

// clientOp gives a client id to a credential, or takes it from one.
type clientOp struct {
	clientID string
	to       uuid.UUID // Nil to free it
	from     uuid.UUID // who may have it now
}

// lay lays m out as lua/mutate.lua expects it.
func (s *Store) lay(ctx context.Context, m mutation, nonce string, ledgerLength int) (keys []string, args []any) {
	origin, tuning := originOf(ctx), s.tuning.Load()
	done, byAge := s.keys.idempotency(m.tenant)
	keys = []string{s.keys.meta(), s.keys.ledger(), s.keys.tenant(m.tenant), s.keys.audit(m.tenant), done, byAge, s.keys.live(m.tenant), s.keys.trimmed(m.tenant), s.keys.outbox()}
	key, fingerprint := "", ""
	if m.makes != uuid.Nil {
		key, fingerprint = origin.idempotency()
	}
	quota, trusted := s.layQuota(m)
	args = []any{
		s.keyring.KnownEpoch(), randomHex(), nonce, ledgerLength,
		tuning.AuditKeep, tuning.AuditLife.Milliseconds(), key, fingerprint, m.makes.String(), quota, trusted,
	}
	list := func(values []string, width int) {
		args = append(args, len(values)/width)
		for _, v := range values {
			args = append(args, v)
		}
	}
	position := func(key string) int {
		keys = append(keys, key)
		return len(keys)
	}
	list(m.audit.fields(origin), 2)
	args = append(args, len(m.records))
	for _, r := range m.records {
		position(s.keys.record(r.id))
		args = append(args, r.id.String(), r.version)
		list(r.set, 2)
		list(r.stamps, 1)
	}
	args = append(args, len(m.digests))
	for _, op := range m.digests {
		args = append(args, position(s.keys.bucketOf(op.Digest)), position(s.keys.revokedOf(op.Digest)),
			string(op.Digest[:]), op.Mode(), op.State())
	}
	args = append(args, len(m.clients))
	for _, op := range m.clients {
		args = append(args, position(s.keys.client(op.clientID)), op.clientID, idOrEmpty(op.to), idOrEmpty(op.from))
	}
	return keys, append(args, m.layCounts()...)
}

func idOrEmpty(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}
