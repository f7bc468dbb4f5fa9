package store

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/google/uuid"
)

// bucketCount is the number of digest buckets. With a million credentials each
// holds about 244, small enough for Redis to keep it a listpack.
const bucketCount = 4096

// keyspace names the keys of one data set. All share the hash tag {namespace}, so
// that one script may touch them together on a Redis Cluster.
//
//	{ns}:m           HASH    epoch, seq, head, schema
//	{ns}:log         STREAM  the ledger
//	{ns}:x:<bucket>  HASH    digest (32 raw bytes) -> "<seq>:<state>"
//	{ns}:c:<id>      HASH    the record of one credential
//	{ns}:t:<tenant>  ZSET    creation time in ms -> credential id
//
// None of them has a TTL: an expiry inside Redis writes no ledger entry, and
// volatile-* eviction could take them.
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
func (k keyspace) record(id uuid.UUID) string     { return k.prefix + "c:" + id.String() }
func (k keyspace) tenant(tenant uuid.UUID) string { return k.prefix + "t:" + tenant.String() }
func (k keyspace) bucket(n int) string            { return fmt.Sprintf("%sx:%d", k.prefix, n) }

// bucketOf returns the bucket of a digest: its first 12 bits.
func (k keyspace) bucketOf(d Digest) string { return k.bucket(int(d[0])<<4 | int(d[1])>>4) }
