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
	"sync"

	"github.com/golang-jwt/jwt/v5"
)

// minRSABits is the shortest RSA modulus that is used: RFC 7518 sections 3.3 and 3.5.
const minRSABits = 2048

var (
	hmacAlgorithms = []string{"HS256", "HS384", "HS512"}
	rsaAlgorithms  = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	// ecdsaCurves binds each algorithm to its one curve (RFC 7518 section 3.4).
	ecdsaCurves = map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}

	publicKeyAlgorithms = slices.Concat(rsaAlgorithms, []string{"ES256", "ES384", "ES512", nameEdDSA})
)

// PublicKeyAlgorithms returns those of the names that verify with public keys.
func PublicKeyAlgorithms(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !slices.Contains(publicKeyAlgorithms, canonical(name))
	})
}

// checkAlgorithms refuses what a source of keys cannot verify. HS algorithms and
// those of public keys never meet in one configuration: a token that may say HS256
// could be signed with the public key, which everybody has, as its secret.
func checkAlgorithms(wanted, known []string, source string) error {
	for _, name := range wanted {
		if !slices.Contains(known, canonical(name)) {
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
		return []string{nameEdDSA}
	}
	return nil
}

// Two names of one algorithm: RFC 9864 has the first, and deprecates the second, which
// is the older one (RFC 8037).
const (
	nameEd25519 = "Ed25519"
	nameEdDSA   = "EdDSA"
)

// canonical returns the name under which an algorithm is known here.
func canonical(name string) string {
	if name == nameEd25519 {
		return nameEdDSA
	}
	return name
}

func canonicalNames(names []string) []string {
	known := make([]string, len(names))
	for i, name := range names {
		known[i] = canonical(name)
	}
	return known
}

// methods returns the names that the header of a token can have for the algorithms.
func methods(algorithms []string) []string {
	names := canonicalNames(algorithms)
	if slices.Contains(names, nameEdDSA) {
		names = append(names, nameEd25519)
	}
	return names
}

// methodEd25519 is the library's EdDSA under its newer name.
type methodEd25519 struct{ jwt.SigningMethodEd25519 }

func (*methodEd25519) Alg() string { return nameEd25519 }

// registerEd25519 adds the method to the library's table, which is of the process.
var registerEd25519 = sync.OnceFunc(func() {
	jwt.RegisterSigningMethod(nameEd25519, func() jwt.SigningMethod { return new(methodEd25519) })
})
