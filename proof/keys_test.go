package proof_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/hookgate/hookgate/proof"
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

// TestPublicKeys: each algorithm takes its keys in the forms in which vendors give them.
func TestPublicKeys(t *testing.T) {
	p256, koblitz, edwards, rsa2048 := newP256(t), newSecp256k1(t), newEd25519(t), newRSA(t)
	der := func(text string) []byte {
		block, _ := pem.Decode([]byte(text))
		return block.Bytes
	}
	tail := func(text string, size int) []byte {
		spki := der(text)
		return spki[len(spki)-size:]
	}
	base := base64.StdEncoding.EncodeToString
	wrapped, err := asn1.Marshal(struct {
		Version   int
		Algorithm struct{ Algorithm, Curve asn1.ObjectIdentifier }
		Key       []byte
	}{
		0, struct{ Algorithm, Curve asn1.ObjectIdentifier }{asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, asn1.ObjectIdentifier{1, 3, 132, 0, 10}},
		der(koblitz.private),
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ algorithm, private, public string }{
		"Ed25519, PEM":                      {"ed25519", edwards.private, edwards.public},
		"Ed25519, raw hex":                  {"ed25519", edwards.private, hex.EncodeToString(tail(edwards.public, 32))},
		"Ed25519, raw base64":               {"ed25519", edwards.private, base(tail(edwards.public, 32))},
		"Ed25519, base64 of SPKI":           {"ed25519", edwards.private, base(der(edwards.public))},
		"P-256, PEM":                        {"ecdsa-sha256", p256.private, p256.public},
		"P-256, base64 of SPKI":             {"ecdsa-sha256", p256.private, base(der(p256.public))},
		"P-256, base64 of the point":        {"ecdsa-sha256", p256.private, base(tail(p256.public, 65))},
		"secp256k1, PEM":                    {"ecdsa-sha256", koblitz.private, koblitz.public},
		"secp256k1, base64 of the point":    {"ecdsa-sha256", koblitz.private, base(tail(koblitz.public, 65))},
		"secp256k1, private key in PKCS #8": {"ecdsa-sha256", inPEM("PRIVATE KEY", wrapped), koblitz.public},
		"RSA, PEM":                          {"rsa-sha256", rsa2048.private, rsa2048.public},
		"RSA, line ends of an environment":  {"rsa-sha256", strings.ReplaceAll(rsa2048.private, "\n", `\n`), strings.ReplaceAll(rsa2048.public, "\n", `\n`)},
		"RSA, PSS":                          {"rsa-pss-sha256", rsa2048.private, rsa2048.public},
		"RSA, SHA-1, a certificate":         {"rsa-sha1", rsa2048.private, certificate(t, rsa2048)},
		"RSA, PKCS #1":                      {"rsa-sha256", rsa2048.private, pkcs1Public(t, rsa2048)},
	} {
		t.Run(name, func(t *testing.T) {
			s := proof.Scheme{Algorithm: test.algorithm, Signature: proof.Signature{Place: proof.Place{Header: proof.Names{"X-Sig"}}}, Encoding: "base64"}
			m, err := proof.Sign(s, test.private, "1", proof.Message{Body: []byte("{}"), Arrived: time.Unix(sentAt, 0)})
			if err != nil {
				t.Fatal(err)
			}
			any := verifier(t, s, test.public)
			if got := any.Verify(&m).Result; got != proof.OK {
				t.Errorf("%s", got)
			}
			m.Body = bytes.ToUpper([]byte("{a}"))
			if got := any.Verify(&m).Result; got != proof.Mismatch {
				t.Errorf("another body: %s", got)
			}
		})
	}
}

func parsed(t *testing.T, keys keyPair) *rsa.PrivateKey {
	t.Helper()
	block, _ := pem.Decode([]byte(keys.private))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}

func pkcs1Public(t *testing.T, keys keyPair) string {
	return inPEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&parsed(t, keys).PublicKey))
}

func certificate(t *testing.T, keys keyPair) string {
	t.Helper()
	key := parsed(t, keys)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "vendor"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return inPEM("CERTIFICATE", der)
}
