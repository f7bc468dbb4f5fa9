package guard

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/hookgate/hookgate/credential"
)

const (
	basicScheme = "Basic"
	// maxClientSecret bounds a client secret, in bytes, as a token is bounded that another
	// service minted: every one is hashed, also those of clients that nobody knows.
	maxClientSecret = 512
	maxBasicPair    = credential.MaxClientIDLength + len(":") + maxClientSecret
)

// parseBasic reads the value of an Authorization header as HTTP Basic (RFC 7617) and
// returns the digest under which an api credential with this client id and secret is
// kept. ok is false where no credential can have this value, and where its base64 is
// such that other decoders would read it differently or refuse it.
func parseBasic(value string) (digest credential.Digest, ok bool) {
	scheme, encoded, _ := strings.Cut(value, " ")
	encoded = strings.TrimLeft(encoded, " ")
	var source [(maxBasicPair + 2) / 3 * 4]byte
	// Go's decoder skips line breaks, wherever they are.
	if !strings.EqualFold(scheme, basicScheme) || len(encoded) > len(source) || strings.ContainsAny(encoded, "\r\n") {
		return digest, false
	}
	var decoded [len(source) / 4 * 3]byte
	n, err := base64.StdEncoding.Strict().Decode(decoded[:], source[:copy(source[:], encoded)])
	if err != nil {
		return digest, false
	}
	clientID, secret, _ := bytes.Cut(decoded[:n], []byte{':'})
	if !credential.ValidClientID(string(clientID)) || !validClientSecret(secret) {
		return digest, false
	}
	return credential.DigestAPISecret(string(clientID), sha256.Sum256(secret)), true
}

// validClientSecret reports whether secret can be one: not empty, UTF-8 as the
// challenge asks for, and no control characters, which RFC 7617 rules out.
func validClientSecret(secret []byte) bool {
	return len(secret) >= 1 && len(secret) <= maxClientSecret && madeOf(secret, textByte) && utf8.Valid(secret)
}
