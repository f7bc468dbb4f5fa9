package proof

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
	"strings"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp256k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// signPrivate signs what an algorithm digested with a private key in PEM.
func signPrivate(algorithm, text string, digested []byte) ([]byte, error) {
	key, ok := parsePrivate(text)
	if !ok {
		return nil, invalid("secret", "it is no private key in PEM")
	}
	var signature []byte
	var err error
	switch key := key.(type) {
	case ed25519.PrivateKey:
		if algorithm == "ed25519" {
			return ed25519.Sign(key, digested), nil
		}
	case *ecdsa.PrivateKey:
		if algorithm == "ecdsa-sha256" && key.Curve == elliptic.P256() {
			signature, err = ecdsa.SignASN1(rand.Reader, key, digested)
		}
	case *secp256k1.PrivateKey:
		if algorithm == "ecdsa-sha256" {
			return secp256k1ecdsa.Sign(key, digested).Serialize(), nil
		}
	case *rsa.PrivateKey:
		switch algorithm {
		case "rsa-sha1":
			signature, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA1, digested)
		case "rsa-sha256":
			signature, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digested)
		case "rsa-pss-sha256":
			signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, digested, nil)
		}
	}
	if err != nil || signature == nil {
		return nil, invalid("secret", "the private key is not one of the algorithm")
	}
	return signature, nil
}

func parsePrivate(text string) (any, bool) {
	block, _ := pem.Decode([]byte(strings.ReplaceAll(text, `\n`, "\n")))
	if block == nil {
		return nil, false
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return key, true
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, true
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key, true
	}
	return parseSecp256k1Private(block.Bytes)
}

// ecPrivateKey is RFC 5915, section 3.
type ecPrivateKey struct {
	Version   int
	Key       []byte
	Curve     asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
	PublicKey asn1.BitString        `asn1:"optional,explicit,tag:1"`
}

// parseSecp256k1Private reads a key of the curve that crypto/x509 does not know, in PKCS #8 or by itself.
func parseSecp256k1Private(der []byte) (any, bool) {
	var wrapped struct {
		Version   int
		Algorithm struct {
			Algorithm asn1.ObjectIdentifier
			Curve     asn1.ObjectIdentifier
		}
		Key []byte
	}
	curve := asn1.ObjectIdentifier(nil)
	if _, err := asn1.Unmarshal(der, &wrapped); err == nil {
		der, curve = wrapped.Key, wrapped.Algorithm.Curve
	}
	var key ecPrivateKey
	if _, err := asn1.Unmarshal(der, &key); err != nil || len(key.Key) != secp256k1.PrivKeyBytesLen {
		return nil, false
	}
	if curve == nil {
		curve = key.Curve
	}
	if !curve.Equal(oidSecp256k1) {
		return nil, false
	}
	return secp256k1.PrivKeyFromBytes(key.Key), true
}
