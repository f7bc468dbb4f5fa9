package store

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// change is one entry of the ledger: what one committed mutation did to the live
// digests, chained to its predecessor by (seq, prev, head).
type change struct {
	epoch string
	seq   uint64
	prev  string
	head  string
	ops   []digestOp
}

// digestOp is the absolute new state of one digest.
type digestOp struct {
	digest  Digest
	removed bool
	changes bool      // it is live already
	id      uuid.UUID // of the credential, for either
	key     Key       // unless removed
}

var errCorrupt = errors.New("store: unreadable value in Redis")

// kindCodes are the kinds in stored values. A kind's position is part of the
// format: append only.
var kindCodes = [...]Kind{KindCallback, KindWebhook, KindAPI}

func kindCode(k Kind) int { return slices.Index(kindCodes[:], k) }

// encodeKey returns the compact form in which a digest bucket and the ledger hold
// a live credential. Most fit the 64 bytes up to which Redis packs a hash into a
// listpack (hash-max-listpack-value), a quarter of the memory of a hash table:
// kind, credential id, tenant, expiry, then length-prefixed strings. The format is
// append-only: what was added to it later is left out where it is empty.
func encodeKey(k Key) string {
	b := make([]byte, 0, 64)
	b = append(b, byte(kindCode(k.Kind)))
	b = append(b, k.ID[:]...)
	b = append(b, k.Tenant[:]...)
	b = binary.AppendUvarint(b, uint64(k.ExpiresAt))
	return string(appendStrings(b, k.Identity))
}

// appendIdentity encodes an identity alone, equal ones alike.
func appendIdentity(b []byte, identity *Identity) []byte {
	b = append(b, byte(kindCode(identity.Kind)))
	b = append(b, identity.Tenant[:]...)
	return appendStrings(b, identity)
}

func appendStrings(b []byte, identity *Identity) []byte {
	for _, s := range [...]string{identity.Vendor, identity.Connection, identity.Label} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	later := [...]string{formatIPs(identity.AllowedIPs), strings.Join(identity.Scopes, " ")}
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

func decodeKey(s string) (Key, error) {
	const fixed = 1 + 2*16
	if len(s) < fixed || int(s[0]) >= len(kindCodes) {
		return Key{}, errCorrupt
	}
	key := Key{Identity: &Identity{Kind: kindCodes[s[0]]}}
	copy(key.ID[:], s[1:])
	copy(key.Tenant[:], s[17:])
	rest := []byte(s[fixed:])
	expires, n := binary.Uvarint(rest)
	if n <= 0 {
		return Key{}, errCorrupt
	}
	key.ExpiresAt = int64(expires)
	rest = rest[n:]
	var ips, scopes string
	for i, field := range [...]*string{&key.Vendor, &key.Connection, &key.Label, &ips, &scopes} {
		if i >= 3 && len(rest) == 0 {
			break // encoded without these, or before they were there
		}
		length, n := binary.Uvarint(rest)
		if n <= 0 || length > uint64(len(rest)-n) {
			return Key{}, errCorrupt
		}
		*field = string(rest[n : n+int(length)])
		rest = rest[n+int(length):]
	}
	if len(rest) != 0 {
		return Key{}, errCorrupt
	}
	var err error
	key.AllowedIPs, err = parseIPs(ips)
	if scopes != "" {
		key.Scopes = strings.Fields(scopes)
	}
	return key, err
}

// Bucket and ledger values are "<seq>:<state>", where the state of a live digest
// is "+" and its encoded key, and of a removed one "-" and the credential id. The
// script writes the sequence number, which only it knows.

// mode says what the digest must be before: lua/mutate.lua checks.
func (op digestOp) mode() string {
	switch {
	case op.removed:
		return "remove"
	case op.changes:
		return "change"
	}
	return "new"
}

// state returns the state of the digest, without the sequence number.
func (op digestOp) state() string {
	if op.removed {
		return "-" + string(op.id[:])
	}
	return "+" + encodeKey(op.key)
}

// decodeState parses what stands behind the sequence number.
func decodeState(d Digest, state string) (digestOp, error) {
	op := digestOp{digest: d}
	switch {
	case strings.HasPrefix(state, "+"):
		key, err := decodeKey(state[1:])
		if err != nil {
			return op, err
		}
		op.id, op.key = key.ID, key
	case strings.HasPrefix(state, "-") && len(state) == 1+len(op.id):
		op.removed = true
		copy(op.id[:], state[1:])
	default:
		return op, errCorrupt
	}
	return op, nil
}

// bucketValue returns what a bucket holds of a digest.
func bucketValue(seq uint64, op digestOp) string {
	return strconv.FormatUint(seq, 10) + ":" + op.state()
}

// decodeValue parses "<seq>:<state>".
func decodeValue(d Digest, value string) (seq uint64, op digestOp, err error) {
	number, state, ok := strings.Cut(value, ":")
	if !ok {
		return 0, op, errCorrupt
	}
	if seq, err = strconv.ParseUint(number, 10, 64); err != nil {
		return 0, op, errCorrupt
	}
	op, err = decodeState(d, state)
	return seq, op, err
}

func parseDigest(field string) (Digest, bool) {
	var d Digest
	if len(field) != len(d) {
		return d, false
	}
	copy(d[:], field)
	return d, true
}

// decodeEntry parses one entry of the ledger stream.
func decodeEntry(epoch string, values map[string]any) (change, error) {
	c := change{epoch: epoch}
	for field, v := range values {
		value, ok := v.(string)
		if !ok {
			return c, errCorrupt
		}
		switch field {
		case "s":
			seq, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				return c, errCorrupt
			}
			c.seq = seq
		case "p":
			c.prev = value
		case "h":
			c.head = value
		default:
			d, ok := parseDigest(field)
			if !ok {
				return c, errCorrupt
			}
			op, err := decodeState(d, value)
			if err != nil {
				return c, err
			}
			c.ops = append(c.ops, op)
		}
	}
	if c.seq == 0 || c.head == "" {
		return c, errCorrupt
	}
	return c, nil
}
