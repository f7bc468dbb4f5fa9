// Package credentialtest has what the tests of several packages know credentials by.
package credentialtest

import (
	"encoding/binary"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// Tenant is who owns the credentials of a test that needs no second owner.
var Tenant = uuid.MustParse("11111111-1111-4111-8111-111111111111")

// Canary is a well-formed token that must turn up nowhere.
const Canary = "mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk"

// ID returns the id of the nth credential.
func ID(n int) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

// Digest returns the digest of the nth credential. It spreads over the shards as real
// digests do, at a fraction of their cost.
func Digest(n int) credential.Digest {
	var d credential.Digest
	x := uint64(n)*0x9E3779B97F4A7C15 + 1
	for i := 0; i < len(d); i += 8 {
		x ^= x >> 29
		x *= 0xBF58476D1CE4E5B9
		binary.BigEndian.PutUint64(d[i:], x)
	}
	return d
}
