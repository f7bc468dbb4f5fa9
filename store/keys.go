package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// bucketCount is the number of digest buckets. With a million credentials each
// holds about 244, small enough for Redis to keep it a listpack.
const bucketCount = 4096

// keyspace names the keys of one data set. All share the hash tag {namespace}, so
// that one script may touch them together on a Redis Cluster.
//
//	{ns}:m           HASH    epoch, seq, head, schema; declared and restored where it
//	                         did not begin with its first change
//	{ns}:log         STREAM  the ledger
//	{ns}:x:<bucket>  HASH    digest (32 raw bytes) -> "<seq>:<state>"
//	{ns}:r:<bucket>  SET     digests that were revoked, and are never let in again
//	{ns}:c:<id>      HASH    the record of one credential
//	{ns}:t:<tenant>  ZSET    creation time in ms -> credential id
//	{ns}:n:<tenant>  ZSET    the live credentials, see lua/count.lua
//	{ns}:i:<bucket>  HASH    client id -> the credential that has it
//	{ns}:a:<tenant>  STREAM  the audit log
//	{ns}:k:<tenant>  HASH    whose entries the audit log has, see lua/trim.lua
//	{ns}:w           STREAM  the outbox: entries of all audit logs, for sinks
//	{ns}:w:<sink>    HASH    how far a sink is, see lua/sink.lua
//	{ns}:o:<tenant>  HASH    idempotency key -> fingerprint and credential id
//	{ns}:q:<tenant>  ZSET    time of use in ms -> idempotency key
//	{ns}:e:<id>:<event>  STRING  an event of a credential that was delivered, or is
//	{ns}:p           ZSET    when a sidecar was last seen, in ms -> the sidecar
//	{ns}:s           HASH    a copy of the keyring, see lua/herd.lua
//
// None of them but the last has a TTL: an expiry inside Redis writes no ledger entry,
// and volatile-* eviction could take them.
type keyspace struct{ prefix string }

// A brace would end the hash tag early and spread the keys over the cluster.
var validNamespace = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

var errNamespace = errors.New("namespace must be 1 to 64 characters of A-Z a-z 0-9 _ . -")

func newKeyspace(namespace string) (keyspace, error) {
	if !validNamespace.MatchString(namespace) {
		return keyspace{}, errNamespace
	}
	return keyspace{prefix: "{" + namespace + "}:"}, nil
}

func (k keyspace) meta() string                   { return k.prefix + "m" }
func (k keyspace) ledger() string                 { return k.prefix + "log" }
func (k keyspace) sidecars() string               { return k.prefix + "p" }
func (k keyspace) copy() string                   { return k.prefix + "s" }
func (k keyspace) record(id uuid.UUID) string     { return k.prefix + "c:" + id.String() }
func (k keyspace) tenant(tenant uuid.UUID) string { return k.prefix + "t:" + tenant.String() }
func (k keyspace) bucket(n int) string            { return fmt.Sprintf("%sx:%d", k.prefix, n) }

func (k keyspace) event(credential uuid.UUID, name string) string {
	key := make([]byte, 0, len(k.prefix)+len("e:")+36+len(":")+2*len(name)) // asked for with every request
	key = append(append(append(append(key, k.prefix...), "e:"...), credential.String()...), ':')
	return string(hex.AppendEncode(key, []byte(name)))
}

// live returns the key of a tenant's live credentials.
func (k keyspace) live(tenant uuid.UUID) string { return k.prefix + "n:" + tenant.String() }

// trimmed returns the key of what is known of whose entries the audit log has.
func (k keyspace) trimmed(tenant uuid.UUID) string { return k.prefix + "k:" + tenant.String() }

func (k keyspace) outbox() string          { return k.prefix + "w" }
func (k keyspace) sink(name string) string { return k.prefix + "w:" + name }

func (k keyspace) audit(tenant uuid.UUID) string { return k.prefix + "a:" + tenant.String() }

// idempotency returns the keys of a tenant's idempotency keys.
func (k keyspace) idempotency(tenant uuid.UUID) (done, byAge string) {
	return k.prefix + "o:" + tenant.String(), k.prefix + "q:" + tenant.String()
}

// bucketOf returns the bucket of a digest: its first 12 bits.
func (k keyspace) bucketOf(d credential.Digest) string { return k.bucket(bucketNumber(d)) }

// revokedOf returns the set of revoked digests that a digest belongs to.
func (k keyspace) revokedOf(d credential.Digest) string { return k.revoked(bucketNumber(d)) }

func (k keyspace) revoked(n int) string { return fmt.Sprintf("%sr:%d", k.prefix, n) }

func bucketNumber(d credential.Digest) int { return int(d[0])<<4 | int(d[1])>>4 }

// clientBuckets is the number of hashes that client ids are spread over.
const clientBuckets = 256

// client returns the hash that a client id belongs to.
func (k keyspace) client(id string) string {
	sum := sha256.Sum256([]byte(id))
	return k.clients(int(sum[0]) % clientBuckets)
}

func (k keyspace) clients(n int) string { return fmt.Sprintf("%si:%d", k.prefix, n) }
