package proof_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// keyPair is a private key in PEM and its public one in a form that a scheme takes.
type keyPair struct{ private, public string }

func newP256(t testing.TB) keyPair {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return pemPair(t, key, err)
}

func newRSA(t testing.TB) keyPair {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return pemPair(t, key, err)
}

func newEd25519(t testing.TB) keyPair {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return pemPair(t, key, err)
}

func pemPair(t testing.TB, key crypto.Signer, err error) keyPair {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{inPEM("PRIVATE KEY", private), inPEM("PUBLIC KEY", public)}
}

// newSecp256k1 writes the keys as openssl does, for crypto/x509 does not know the curve.
func newSecp256k1(t testing.TB) keyPair {
	t.Helper()
	key, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	curve := asn1.ObjectIdentifier{1, 3, 132, 0, 10}
	private, err := asn1.Marshal(struct {
		Version int
		Key     []byte
		Curve   asn1.ObjectIdentifier `asn1:"explicit,tag:0"`
	}{1, key.Serialize(), curve})
	if err != nil {
		t.Fatal(err)
	}
	public, err := asn1.Marshal(struct {
		Algorithm struct{ Algorithm, Curve asn1.ObjectIdentifier }
		Key       asn1.BitString
	}{
		struct{ Algorithm, Curve asn1.ObjectIdentifier }{asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, curve},
		asn1.BitString{Bytes: key.PubKey().SerializeUncompressed(), BitLength: 65 * 8},
	})
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{inPEM("EC PRIVATE KEY", private), inPEM("PUBLIC KEY", public)}
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
