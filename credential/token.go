package credential

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"strings"
)

// A token is prefix + 43 base62 characters (256 bits) + 6 base62 characters of
// CRC32-IEEE over everything before them. 53 bytes fit one SHA-256 block, need no
// escaping in a URL, and let secret scanners recognise a leaked token.
const (
	PrefixCallback = "mcb_"
	prefixWebhook  = "mwh_"

	Base62         = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	SecretLength   = 43
	ChecksumLength = 6
	TokenLength    = len(PrefixCallback) + SecretLength + ChecksumLength

	// hintLength is how much of a token an operator gets to see again: the prefix and four
	// of the 43 characters of the secret, by which two tokens are told apart. 39 are left,
	// or 232 bits.
	hintLength = 8

	// maxForeignTokenLength bounds tokens that were minted elsewhere and imported
	// by digest, in bytes.
	maxForeignTokenLength = 512
)

// Digest is the SHA-256 of a token: the only form in which a token is stored.
type Digest [sha256.Size]byte

// String returns the digest in lower-case hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// DigestToken returns the digest under which token is stored.
func DigestToken(token string) Digest {
	// A token of ours fits this stack buffer, which spares the request path the
	// allocation of a []byte conversion.
	var buf [64]byte
	return sha256.Sum256(append(buf[:0], token...))
}

// DigestAPISecret returns the digest under which an api credential is stored: it
// binds the digest of the secret to the client id, so that no secret opens another
// client's credential.
func DigestAPISecret(clientID string, secret Digest) Digest {
	var buf [256]byte
	b := append(buf[:0], "api\x00"...)
	b = append(b, clientID...)
	b = append(b, 0)
	return sha256.Sum256(append(b, secret[:]...))
}

// WellFormedToken reports whether token can have been minted: by us, with a right
// checksum, or elsewhere, within the alphabet [A-Za-z0-9._~-] and 512 bytes. A
// token that is not well formed is refused without a look-up. The checksum proves
// nothing about authenticity; it only keeps typing errors and junk out.
func WellFormedToken(token string) bool {
	if strings.HasPrefix(token, PrefixCallback) || strings.HasPrefix(token, prefixWebhook) {
		return wellFormedOwn(token)
	}
	if len(token) == 0 || len(token) > maxForeignTokenLength {
		return false
	}
	for i := range len(token) {
		if !foreignTokenByte(token[i]) {
			return false
		}
	}
	return true
}

func wellFormedOwn(token string) bool {
	if len(token) != TokenLength {
		return false
	}
	for i := len(PrefixCallback); i < TokenLength; i++ {
		if !isAlphanumeric(token[i]) {
			return false
		}
	}
	sum := checksum(token[:TokenLength-ChecksumLength])
	return string(sum[:]) == token[TokenLength-ChecksumLength:]
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

func foreignTokenByte(c byte) bool {
	return isAlphanumeric(c) || c == '.' || c == '_' || c == '~' || c == '-'
}

// MintToken returns a fresh token with 256 bits of crypto/rand behind prefix.
func MintToken(prefix string) string {
	token := make([]byte, 0, TokenLength)
	token = append(token, prefix...)
	// Bytes of 248 and above are thrown away: 248 is the largest multiple of 62
	// that fits a byte, and a plain modulo would favour the first characters.
	const unbiased = 256 / len(Base62) * len(Base62)
	var random [SecretLength]byte
	for len(token) < len(prefix)+SecretLength {
		rand.Read(random[:]) // crypto/rand never returns an error; it crashes the process instead
		for _, b := range random {
			if int(b) < unbiased && len(token) < len(prefix)+SecretLength {
				token = append(token, Base62[int(b)%len(Base62)])
			}
		}
	}
	sum := checksum(string(token))
	return string(append(token, sum[:]...))
}

// checksum returns the CRC32-IEEE of body in base62, most significant character
// first, left-padded with '0'.
func checksum(body string) [ChecksumLength]byte {
	// By hand because crc32.ChecksumIEEE takes a []byte and lets it escape: an
	// allocation on every request, the refused ones too.
	crc := ^uint32(0)
	for i := range len(body) {
		crc = crc32.IEEETable[byte(crc)^body[i]] ^ crc>>8
	}
	crc = ^crc
	var out [ChecksumLength]byte
	for i := ChecksumLength - 1; i >= 0; i-- {
		out[i] = Base62[crc%uint32(len(Base62))]
		crc /= uint32(len(Base62))
	}
	return out
}
