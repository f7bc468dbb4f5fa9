package proof

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strings"
	"sync"
)

// algorithm is what makes a signature of signed bytes.
type algorithm struct {
	kind kind
	hash func() hash.Hash // nil for ed25519, which takes the bytes themselves
	size int              // of a signature; 0: any
}

type kind int

const (
	mac    kind = iota // of the bytes under a key
	digest             // of the bytes, which have the secret in them
	public             // of a private key, verified by its public one
	equal              // the secret itself
)

var algorithms = map[string]algorithm{
	"":               {mac, sha256.New, sha256.Size},
	"hmac-sha256":    {mac, sha256.New, sha256.Size},
	"hmac-sha1":      {mac, sha1.New, sha1.Size},
	"hmac-sha512":    {mac, sha512.New, sha512.Size},
	"sha256":         {digest, sha256.New, sha256.Size},
	"ed25519":        {public, nil, 64},
	"rsa-sha1":       {public, sha1.New, 0},
	"rsa-sha256":     {public, sha256.New, 0},
	"rsa-pss-sha256": {public, sha256.New, 0},
	"ecdsa-sha256":   {public, sha256.New, 0},
	"equal":          {equal, sha256.New, 0},
}

// sum is what has to be presented, for algorithms that have only one such value.
func (a algorithm) sum(key []byte, signed *signedBytes) []byte {
	if a.kind == mac {
		return signed.through(hmac.New(a.hash, key))
	}
	return signed.through(a.hash())
}

// states returns a pool of HMACs with a key. One that was used before needs half as many blocks for a
// short message: it knows what the key makes of the first of them.
func (a algorithm) states(key []byte) *sync.Pool {
	return &sync.Pool{New: func() any { return hmac.New(a.hash, key) }}
}

func pooledSum(states *sync.Pool, signed *signedBytes) []byte {
	state := states.Get().(hash.Hash)
	defer states.Put(state)
	state.Reset()
	return signed.through(state)
}

// digested is what a public-key algorithm verifies: the hash of the signed bytes, or themselves.
func (a algorithm) digested(signed *signedBytes) []byte {
	if a.hash == nil {
		return signed.joined()
	}
	return signed.through(a.hash())
}

func (s *signedBytes) through(state hash.Hash) []byte {
	for _, piece := range s.pieces {
		state.Write(piece)
	}
	return state.Sum(nil)
}

// sharedKey makes the key of a secret.
func sharedKey(form, secret string) ([]byte, error) {
	var key []byte
	var err error
	switch form {
	case "hex":
		key, err = hex.DecodeString(secret)
	case "base64":
		key, err = anyBase64(secret)
	case "whsec":
		// Replicate's library takes what is behind the last _, which is the same.
		key, err = anyBase64(strings.TrimPrefix(secret, "whsec_"))
	case "whsec-or-text":
		if rest, ok := strings.CutPrefix(secret, "whsec_"); ok {
			key, err = anyBase64(rest)
		} else {
			key = []byte(secret)
		}
	default:
		key = []byte(secret)
	}
	if err != nil { // the error itself may quote the secret
		return nil, invalid("secret", "it is not in the form that `key` says")
	}
	if len(key) == 0 {
		return nil, invalid("secret", "it is empty")
	}
	return key, nil
}

// anyBase64 decodes both alphabets, padded or not.
func anyBase64(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	return base64.RawStdEncoding.DecodeString(text)
}

// sameSecret compares in a time that depends neither on where two texts differ nor on their lengths.
func sameSecret(a, b []byte) bool {
	x, y := sha256.Sum256(a), sha256.Sum256(b)
	return hmac.Equal(x[:], y[:])
}
