package guard

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
)

// VendorPolicy is what a vendor's requests must show beyond a live token.
type VendorPolicy struct {
	// AllowIPs are the addresses that the vendor sends from; none means any.
	AllowIPs []netip.Prefix
	// Signature is how the vendor signs its bodies; nil: it does not.
	Signature *SignatureCheck
}

// SignatureCheck verifies hexadecimal HMAC-SHA256 signatures of raw bodies. Decide
// cannot see the body, so a decision carries the check to whoever can.
type SignatureCheck struct {
	// Header is the name of the header that holds the signature, in canonical form.
	Header string
	// Secrets are the keys of which any may have been used: two while the vendor
	// changes from one to the next.
	Secrets [][]byte
}

// presented returns the signature in the lines of the header. Anything but exactly
// one line is none: of two, another reader may believe the other one. It is told
// apart before the body is read, which an unsigned request need not even send.
func (c *SignatureCheck) presented(lines []string) (signature [sha256.Size]byte, ok bool) {
	if len(lines) != 1 || len(lines[0]) != hex.EncodedLen(len(signature)) {
		return signature, false
	}
	_, err := hex.Decode(signature[:], []byte(lines[0]))
	return signature, err == nil
}

// verify reports whether signature is that of body under any of the secrets. It
// takes as long whichever it is, and wherever a wrong signature first differs.
func (c *SignatureCheck) verify(signature [sha256.Size]byte, body []byte) bool {
	valid := false
	for _, secret := range c.Secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		if hmac.Equal(mac.Sum(nil), signature[:]) {
			valid = true
		}
	}
	return valid
}

// allowedFrom reports whether a client may come from where it does. Where there is
// a list, a client whose address is unknown is not on it.
func allowedFrom(list []netip.Prefix, client netip.Addr) bool {
	if len(list) == 0 {
		return true
	}
	for _, prefix := range list {
		if prefix.Contains(client) {
			return true
		}
	}
	return false
}
