package bearer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// keySource finds the key that verifies a token. The context bounds how long it may
// look.
type keySource func(context.Context) jwt.Keyfunc

func fixedKey(key any) keySource {
	find := func(*jwt.Token) (any, error) { return key, nil }
	return func(context.Context) jwt.Keyfunc { return find }
}

// parsePublicKey reads the one public key of a PEM file. No error repeats any of it:
// a private key may be in there by mistake.
func parsePublicKey(text []byte) (crypto.PublicKey, error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, errors.New("jwt: the public key is not PEM")
	case strings.Contains(block.Type, "PRIVATE KEY"):
		return nil, errors.New("jwt: the public key file holds a private key, which does not belong here")
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("jwt: there is something behind the public key")
	}
	var key crypto.PublicKey
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return nil, fmt.Errorf("jwt: the PEM block must be a PUBLIC KEY, not %.40q", block.Type)
	}
	if err != nil {
		return nil, errors.New("jwt: the public key cannot be read")
	}
	if algorithmsOf(key) == nil {
		return nil, errors.New("jwt: the public key must be RSA of 2048 bits or more, ECDSA on P-256, P-384 or P-521, or Ed25519")
	}
	return key, nil
}
