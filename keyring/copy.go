package keyring

import (
	"encoding/binary"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// A copy is an index as bytes, for others to build theirs of: a tenth of the work for
// Redis that the digest buckets are. It is a sequence of records:
//
//	0, length, identity                                   the next identity, from 1 on
//	its number, digest, credential id, sequence number, expiry
//	0, 0, length, verify                                  that of the digest before it
//
// with all numbers but digest and id as uvarints. A chunk holds whole records, and
// refers to identities of the chunks before it.

// CopyFormat names this form: who knows another one reads the buckets.
const CopyFormat = "3"

// Copy returns the index in chunks of about a size. It must not change meanwhile.
func (idx *Index) Copy(size int) [][]byte {
	var chunks [][]byte
	chunk := make([]byte, 0, size+1024)
	numbers := make(map[uint32]uint64)
	for i := range idx.shards {
		for _, e := range idx.shards[i].slots {
			if e.identity == 0 {
				continue
			}
			number := numbers[e.identity]
			if number == 0 {
				identity := appendIdentity(nil, idx.identityOf(e))
				chunk = append(binary.AppendUvarint(append(chunk, 0), uint64(len(identity))), identity...)
				number = uint64(len(numbers) + 1)
				numbers[e.identity] = number
			}
			chunk = binary.AppendUvarint(chunk, number)
			chunk = append(append(chunk, e.digest[:]...), e.id[:]...)
			chunk = binary.AppendUvarint(chunk, e.seq.value())
			chunk = binary.AppendUvarint(chunk, e.expiresAt.value())
			if proof := idx.shards[i].proofs[e.digest]; proof != nil {
				verify := proof.verify.Encode()
				chunk = append(binary.AppendUvarint(append(chunk, 0, 0), uint64(len(verify))), verify...)
			}
			if len(chunk) >= size {
				chunks = append(chunks, chunk)
				chunk = make([]byte, 0, size+1024)
			}
		}
	}
	if len(chunk) > 0 {
		chunks = append(chunks, chunk)
	}
	return chunks
}

// CopyReader builds an index of the chunks of a copy.
type CopyReader struct {
	Index      *Index
	identities []uint32
	last       slot
}

// Read takes the next chunk.
func (r *CopyReader) Read(chunk string) error {
	uvarint := func() (uint64, bool) {
		n, length := binary.Uvarint([]byte(chunk[:min(len(chunk), binary.MaxVarintLen64)]))
		if length <= 0 {
			return 0, false
		}
		chunk = chunk[length:]
		return n, true
	}
	const fixed = len(credential.Digest{}) + len(uuid.UUID{})
	for len(chunk) > 0 {
		number, ok := uvarint()
		if !ok || number > uint64(len(r.identities)) {
			return credential.ErrCorrupt
		}
		if number == 0 {
			length, ok := uvarint()
			verifies := ok && length == 0
			if verifies {
				length, ok = uvarint()
			}
			if !ok || length > uint64(len(chunk)) {
				return credential.ErrCorrupt
			}
			if verifies {
				verify, err := credential.ParseVerify(chunk[:length])
				if err != nil || r.last.identity == 0 {
					return credential.ErrCorrupt
				}
				r.Index.put(r.last, verify)
				chunk = chunk[length:]
				continue
			}
			identity, err := decodeIdentity(chunk[:length])
			if err != nil {
				return err
			}
			r.identities = append(r.identities, r.Index.intern(identity))
			chunk = chunk[length:]
			continue
		}
		if len(chunk) < fixed {
			return credential.ErrCorrupt
		}
		e := slot{identity: r.identities[number-1] + 1}
		copy(e.id[:], chunk[copy(e.digest[:], chunk):])
		chunk = chunk[fixed:]
		seq, ok := uvarint()
		expires, fine := uvarint()
		if !ok || !fine {
			return credential.ErrCorrupt
		}
		e.seq, e.expiresAt = toUint48(seq), toUint48(expires)
		r.Index.put(e, nil)
		r.last = e
	}
	return nil
}

// decodeIdentity is the inverse of appendIdentity.
func decodeIdentity(encoded string) (*Identity, error) {
	const fixed = 1 + len(uuid.UUID{})
	if len(encoded) < fixed {
		return nil, credential.ErrCorrupt
	}
	kind := encoded[0] &^ (disabledIdentity | graceIdentity)
	state := string([]byte{kind}) + string(make([]byte, len(uuid.UUID{}))) + encoded[1:fixed] + "\x00" + encoded[fixed:]
	key, verify, err := decodeStrings(state)
	if verify != "" && verify != proves {
		err = credential.ErrCorrupt
	}
	if err != nil {
		return nil, err
	}
	key.Disabled, key.InGrace = encoded[0]&disabledIdentity != 0, encoded[0]&graceIdentity != 0
	return key.Identity, nil
}
