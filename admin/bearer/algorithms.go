package bearer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"
)

// minRSABits is the shortest RSA modulus that is used: RFC 7518 sections 3.3 and 3.5.
const minRSABits = 2048

var (
	hmacAlgorithms = []string{"HS256", "HS384", "HS512"}
	rsaAlgorithms  = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	// ecdsaCurves binds each algorithm to its one curve (RFC 7518 section 3.4).
	ecdsaCurves = map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}

	publicKeyAlgorithms = slices.Concat(rsaAlgorithms, []string{"ES256", "ES384", "ES512", "EdDSA"})
)

// checkAlgorithms refuses what a source of keys cannot verify. HS algorithms and
// those of public keys never meet in one configuration: a token that may say HS256
// could be signed with the public key, which everybody has, as its secret.
func checkAlgorithms(wanted, known []string, source string) error {
	for _, name := range wanted {
		if !slices.Contains(known, name) {
			return fmt.Errorf("jwt: algorithm %q does not go with %s, which takes %s", name, source, strings.Join(known, ", "))
		}
	}
	return nil
}

// algorithmsOf returns what a public key can verify, its usual algorithm first;
// nothing for a key that is too weak or of another type.
func algorithmsOf(key crypto.PublicKey) []string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() >= minRSABits {
			return rsaAlgorithms
		}
	case *ecdsa.PublicKey:
		for name, curve := range ecdsaCurves {
			if key.Curve == curve {
				return []string{name}
			}
		}
	case ed25519.PublicKey:
		return []string{"EdDSA"}
	}
	return nil
}
