package proof

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"strings"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp256k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// verifies reports whether a signature is that of what an algorithm digested.
type verifies func(digested, signature []byte) bool

// publicKey reads a key of an algorithm: PEM of a key or certificate, base64 of SPKI or of the raw
// key, hexadecimal of a raw Ed25519 key.
func publicKey(algorithm, text string) (verifies, error) {
	key, err := parsePublic(text)
	if err != nil {
		return nil, err
	}
	switch key := key.(type) {
	case ed25519.PublicKey:
		if algorithm == "ed25519" {
			return func(message, signature []byte) bool { return ed25519.Verify(key, message, signature) }, nil
		}
	case *ecdsa.PublicKey:
		if algorithm == "ecdsa-sha256" && key.Curve == elliptic.P256() {
			return func(digest, signature []byte) bool { return ecdsa.VerifyASN1(key, digest, signature) }, nil
		}
	case *secp256k1.PublicKey:
		if algorithm == "ecdsa-sha256" {
			return func(digest, signature []byte) bool {
				parsed, err := secp256k1ecdsa.ParseDERSignature(signature)
				return err == nil && parsed.Verify(digest, key)
			}, nil
		}
	case *rsa.PublicKey:
		if key.Size() < 1024/8 {
			return nil, invalid("secret", "an RSA key has at least 1024 bits")
		}
		switch algorithm {
		case "rsa-sha1":
			return pkcs1(key, crypto.SHA1), nil
		case "rsa-sha256":
			return pkcs1(key, crypto.SHA256), nil
		case "rsa-pss-sha256":
			return func(digest, signature []byte) bool {
				return rsa.VerifyPSS(key, crypto.SHA256, digest, signature, nil) == nil
			}, nil
		}
	}
	return nil, invalid("secret", "the public key is not one of the algorithm")
}

func pkcs1(key *rsa.PublicKey, hash crypto.Hash) verifies {
	return func(digest, signature []byte) bool { return rsa.VerifyPKCS1v15(key, hash, digest, signature) == nil }
}

func parsePublic(text string) (any, error) {
	// An environment variable often has a PEM with \n in place of line ends.
	text = strings.TrimSpace(strings.ReplaceAll(text, `\n`, "\n"))
	if block, _ := pem.Decode([]byte(text)); block != nil {
		switch block.Type {
		case "CERTIFICATE":
			if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
				return certificate.PublicKey, nil
			}
		case "RSA PUBLIC KEY":
			if key, err := x509.ParsePKCS1PublicKey(block.Bytes); err == nil {
				return key, nil
			}
		default:
			if key, ok := parseSPKI(block.Bytes); ok {
				return key, nil
			}
		}
		return nil, invalid("secret", "the PEM is not one of a public key or a certificate")
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		raw, err = anyBase64(strings.Join(strings.Fields(text), ""))
	}
	if err == nil {
		if key, ok := parseRaw(raw); ok {
			return key, nil
		}
	}
	return nil, invalid("secret", "it is no public key: want PEM, base64 of SPKI or of the raw key, or hex of an Ed25519 key")
}

func parseRaw(raw []byte) (any, bool) {
	if len(raw) == ed25519.PublicKeySize {
		return ed25519.PublicKey(raw), true
	}
	// A point lies on one of both curves alone.
	if key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw); err == nil {
		return key, true
	}
	if key, err := secp256k1.ParsePubKey(raw); err == nil {
		return key, true
	}
	return parseSPKI(raw)
}

// subjectPublicKeyInfo is RFC 5480, section 2. crypto/x509 does not know the curve secp256k1.
type subjectPublicKeyInfo struct {
	Algorithm struct {
		Algorithm asn1.ObjectIdentifier
		Curve     asn1.ObjectIdentifier
	}
	Key asn1.BitString
}

var (
	oidEC        = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidSecp256k1 = asn1.ObjectIdentifier{1, 3, 132, 0, 10}
)

func parseSPKI(der []byte) (any, bool) {
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		return key, true
	}
	var info subjectPublicKeyInfo
	rest, err := asn1.Unmarshal(der, &info)
	if err != nil || len(rest) > 0 || !info.Algorithm.Algorithm.Equal(oidEC) || !info.Algorithm.Curve.Equal(oidSecp256k1) {
		return nil, false
	}
	key, err := secp256k1.ParsePubKey(info.Key.RightAlign())
	return key, err == nil
}
