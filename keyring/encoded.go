package keyring

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/hookgate/hookgate/credential"
)

// PutEncoded puts what a digest bucket holds of a live digest, which is what
// DecodeValue reads; a million of them, so without making an Identity for each.
func (idx *Index) PutEncoded(field, value string) (d credential.Digest, seq uint64, err error) {
	d, ok := ParseDigest(field)
	if !ok {
		return d, 0, credential.ErrCorrupt
	}
	number, state, ok := strings.Cut(value, ":")
	if !ok || !strings.HasPrefix(state, "+") {
		return d, 0, credential.ErrCorrupt
	}
	if seq, err = strconv.ParseUint(number, 10, 64); err != nil {
		return d, 0, credential.ErrCorrupt
	}
	return d, seq, idx.putState(d, seq, state[1:])
}

// putState puts a key in the form of encodeKey.
func (idx *Index) putState(d credential.Digest, seq uint64, state string) error {
	if len(state) > fixedKey {
		expires, n := binary.Uvarint([]byte(state[fixedKey:min(len(state), fixedKey+binary.MaxVarintLen64)]))
		// Kind, tenant and strings are how appendIdentity encodes an identity.
		var buf [128]byte
		identity := append(append(append(buf[:0], state[0]), state[17:fixedKey]...), state[fixedKey+max(n, 0):]...)
		if position, known := idx.interned[string(identity)]; known && n > 0 && expires&disabledExpiry == 0 && (n == 1 || state[fixedKey+n-1] != 0) {
			e := slot{digest: d, identity: position + 1, seq: toUint48(seq), expiresAt: toUint48(expires)}
			copy(e.id[:], state[1:17])
			idx.put(e, nil) // what has a Verify is no identity's encoding
			return nil
		}
	}
	key, err := decodeKey(state)
	if err == nil {
		idx.Put(d, seq, key)
	}
	return err
}
