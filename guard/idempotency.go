package guard

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Headers by which a vendor names a delivery, so that a retry is recognised as one.
// Matcher reads the first.
const (
	HeaderIdempotencyKey      = "X-Idempotency-Key"
	HeaderPlainIdempotencyKey = "Idempotency-Key"
)

const maxIdempotencyKey = 128

// clientIdempotencyKey returns the key under which a request is to be forwarded,
// where the client sent one; "" leaves it as the client sent it. One that Matcher does
// not accept stays as it is: Matcher tells the vendor. ok is false where the key is to be
// made of the body.
func clientIdempotencyKey(header map[string][]string) (key string, ok bool) {
	for _, value := range endToEnd(header, HeaderIdempotencyKey) {
		if value != "" {
			return "", true
		}
	}
	if plain := endToEnd(header, HeaderPlainIdempotencyKey); len(plain) == 1 && validIdempotencyKey(plain[0]) {
		return plain[0], true
	}
	return "", false
}

// idempotencyKey makes the key of an allowed request of its credential, of its route
// and what it is about, of its query and of its body: a vendor's retry has the same. Two
// exceptions that one body is posted to have two. Nor do deliveries become one that
// the vendor told apart by keys that Matcher does not accept.
func idempotencyKey(d *Decision, header map[string][]string, body []byte) string {
	hash := sha256.New()
	// Each part is preceded by its length, so that no two requests read the same.
	add := func(part []byte) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		hash.Write(length[:])
		hash.Write(part)
	}
	add(d.Credential[:])
	add([]byte(d.Template))
	add([]byte(d.found.vendor + d.found.exception)) // one of the two
	add([]byte(d.query))
	for _, value := range endToEnd(header, HeaderPlainIdempotencyKey) {
		add([]byte(value))
	}
	add(body)
	return "hkg-" + hex.EncodeToString(hash.Sum(nil))
}

// validIdempotencyKey reports whether Matcher accepts a key: ^[A-Za-z0-9:_-]{1,128}$.
func validIdempotencyKey(key string) bool {
	return len(key) >= 1 && len(key) <= maxIdempotencyKey && madeOf(key, keyByte)
}
