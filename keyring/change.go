package keyring

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// Change is one entry of the ledger: what one committed mutation did to the live
// digests, chained to its predecessor by (seq, prev, head).
type Change struct {
	Epoch string
	Seq   uint64
	Prev  string
	Head  string
	Ops   []DigestOp
}

// DigestOp is the absolute new state of one digest.
type DigestOp struct {
	Digest  credential.Digest
	Removed bool
	Changes bool      // it is live already
	ID      uuid.UUID // of the credential, for either
	Key     Key       // unless removed
}

// encodeKey returns the compact form in which a digest bucket and the ledger hold
// a live credential. Most fit the 64 bytes up to which Redis packs a hash into a
// listpack (hash-max-listpack-value), a quarter of the memory of a hash table:
// kind, credential id, tenant, expiry, then length-prefixed strings. The format is
// append-only: what was added to it later is left out where it is empty.
func encodeKey(k Key) string {
	b := make([]byte, 0, 64)
	b = append(b, byte(credential.KindCode(k.Kind)))
	b = append(b, k.ID[:]...)
	b = append(b, k.Tenant[:]...)
	return string(appendStrings(appendExpiry(b, k), k.Identity, k.Verify.Encode()))
}

// An expiry is a uvarint in milliseconds, in which releases that do not know of disabling
// and of graces must not find anything that they cannot read.
//
// Of a disabled credential bit 63 is set: they read a negative number, which has passed, and
// so refuse the token, too. Of one in its grace bit 62 is set besides; where it is enabled,
// the uvarint ends in a byte of zero, which is one more than it needs.
const (
	disabledExpiry      = 1 << 63
	disabledGraceExpiry = 1 << 62
)

// appendExpiry takes what is before 1970 for the first millisecond after it: 0 is never.
func appendExpiry(b []byte, k Key) []byte {
	expires := uint64(max(k.ExpiresAt, 0))
	if k.ExpiresAt < 0 {
		expires = 1
	}
	switch {
	case k.Disabled && k.InGrace:
		return binary.AppendUvarint(b, min(expires, maxUint48)|disabledExpiry|disabledGraceExpiry)
	case k.Disabled:
		return binary.AppendUvarint(b, min(expires, maxUint48)|disabledExpiry)
	}
	b = binary.AppendUvarint(b, expires)
	if k.InGrace {
		b[len(b)-1] |= 1 << 7
		b = append(b, 0)
	}
	return b
}

// readExpiry reads what appendExpiry wrote, into key, and returns its length, or 0. An older
// release has written an expiry before 1970 as a negative number, which has more bits set
// than one that is marked.
func readExpiry(b string, key *Key) int {
	expires, n := binary.Uvarint([]byte(b[:min(len(b), binary.MaxVarintLen64)]))
	if n <= 0 {
		return 0
	}
	switch bare := expires &^ (disabledExpiry | disabledGraceExpiry); {
	case expires&disabledExpiry == 0:
		key.ExpiresAt, key.InGrace = int64(expires), n > 1 && b[n-1] == 0
	case bare <= maxUint48:
		key.ExpiresAt, key.Disabled, key.InGrace = int64(bare), true, expires&disabledGraceExpiry != 0
	default:
		key.ExpiresAt = 1
	}
	return n
}

// In the encoding of an identity alone these mark the kind.
const (
	disabledIdentity = 1 << 7
	graceIdentity    = 1 << 6
)

// appendIdentity encodes an identity alone, equal ones alike.
func appendIdentity(b []byte, identity *Identity) []byte {
	kind := byte(credential.KindCode(identity.Kind))
	if identity.Disabled {
		kind |= disabledIdentity
	}
	if identity.InGrace {
		kind |= graceIdentity
	}
	b = append(b, kind)
	b = append(b, identity.Tenant[:]...)
	verify := ""
	if identity.Proves {
		verify = proves
	}
	return appendStrings(b, identity, verify)
}

// proves stands in an identity for the verify that each of its credentials has.
const proves = "+"

func appendStrings(b []byte, identity *Identity, verify string) []byte {
	for _, s := range [...]string{identity.Vendor, identity.Connection, identity.Label} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	later := [...]string{credential.FormatIPs(identity.AllowedIPs), strings.Join(identity.Scopes, " "), string(identity.TenantAs), verify}
	last := len(later)
	for last > 0 && later[last-1] == "" {
		last--
	}
	for _, s := range later[:last] {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// fixedKey is how long kind, credential id and tenant are in the encoding of a key.
const fixedKey = 1 + 2*16

func decodeKey(s string) (Key, error) {
	key, verify, err := decodeStrings(s)
	if err != nil {
		return Key{}, err
	}
	// One that cannot be read must not become none, with which the token alone is enough.
	key.Verify, err = credential.ParseVerify(verify)
	return key, err
}

// decodeStrings decodes a key, and returns apart what it has for a verify.
func decodeStrings(s string) (key Key, verify string, err error) {
	if len(s) < fixedKey || int(s[0]) >= len(credential.KindCodes) {
		return Key{}, "", credential.ErrCorrupt
	}
	key = Key{Identity: &Identity{Kind: credential.KindCodes[s[0]]}}
	copy(key.ID[:], s[1:])
	copy(key.Tenant[:], s[17:])
	length := readExpiry(s[fixedKey:], &key)
	if length == 0 {
		return Key{}, "", credential.ErrCorrupt
	}
	rest := []byte(s[fixedKey+length:])
	var ips, scopes, tenantAs string
	for i, field := range [...]*string{&key.Vendor, &key.Connection, &key.Label, &ips, &scopes, &tenantAs, &verify} {
		if i >= 3 && len(rest) == 0 {
			break // encoded without these, or before they were there
		}
		length, n := binary.Uvarint(rest)
		if n <= 0 || length > uint64(len(rest)-n) {
			return Key{}, "", credential.ErrCorrupt
		}
		*field = string(rest[n : n+int(length)])
		rest = rest[n+int(length):]
	}
	if len(rest) != 0 {
		return Key{}, "", credential.ErrCorrupt
	}
	key.TenantAs, key.Proves = credential.TenantSpelling(tenantAs), verify != ""
	key.AllowedIPs, err = credential.ParseIPs(ips)
	if scopes != "" {
		key.Scopes = strings.Fields(scopes)
	}
	return key, verify, err
}

// Bucket and ledger values are "<seq>:<state>", where the state of a live digest
// is "+" and its encoded key, and of a removed one "-" and the credential id. The
// script writes the sequence number, which only it knows.

// Mode says what the digest must be before: lua/mutate.lua checks.
func (op DigestOp) Mode() string {
	switch {
	case op.Removed:
		return "remove"
	case op.Changes:
		return "change"
	}
	return "new"
}

// State returns the state of the digest, without the sequence number.
func (op DigestOp) State() string {
	if op.Removed {
		return "-" + string(op.ID[:])
	}
	return "+" + encodeKey(op.Key)
}

// decodeState parses what stands behind the sequence number.
func decodeState(d credential.Digest, state string) (DigestOp, error) {
	op := DigestOp{Digest: d}
	switch {
	case strings.HasPrefix(state, "+"):
		key, err := decodeKey(state[1:])
		if err != nil {
			return op, err
		}
		op.ID, op.Key = key.ID, key
	case strings.HasPrefix(state, "-") && len(state) == 1+len(op.ID):
		op.Removed = true
		copy(op.ID[:], state[1:])
	default:
		return op, credential.ErrCorrupt
	}
	return op, nil
}

// BucketValue returns what a bucket holds of a digest.
func BucketValue(seq uint64, op DigestOp) string {
	return strconv.FormatUint(seq, 10) + ":" + op.State()
}

// DecodeValue parses "<seq>:<state>".
func DecodeValue(d credential.Digest, value string) (seq uint64, op DigestOp, err error) {
	number, state, ok := strings.Cut(value, ":")
	if !ok {
		return 0, op, credential.ErrCorrupt
	}
	if seq, err = strconv.ParseUint(number, 10, 64); err != nil {
		return 0, op, credential.ErrCorrupt
	}
	op, err = decodeState(d, state)
	return seq, op, err
}

func ParseDigest(field string) (credential.Digest, bool) {
	var d credential.Digest
	if len(field) != len(d) {
		return d, false
	}
	copy(d[:], field)
	return d, true
}

// DecodeEntry parses one entry of the ledger stream.
func DecodeEntry(epoch string, values map[string]any) (Change, error) {
	c := Change{Epoch: epoch}
	for field, v := range values {
		value, ok := v.(string)
		if !ok {
			return c, credential.ErrCorrupt
		}
		switch field {
		case "s":
			seq, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				return c, credential.ErrCorrupt
			}
			c.Seq = seq
		case "p":
			c.Prev = value
		case "h":
			c.Head = value
		default:
			d, ok := ParseDigest(field)
			if !ok {
				return c, credential.ErrCorrupt
			}
			op, err := decodeState(d, value)
			if err != nil {
				return c, err
			}
			c.Ops = append(c.Ops, op)
		}
	}
	if c.Seq == 0 || c.Head == "" {
		return c, credential.ErrCorrupt
	}
	return c, nil
}
