package bearer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// keySource finds the key that verifies a token. The context bounds how long it may
// look.
type keySource func(context.Context) jwt.Keyfunc

// secretKeys takes any of the secrets for every token.
func secretKeys(secrets [][]byte, log *slog.Logger) (keySource, error) {
	var all jwt.VerificationKeySet
	for _, secret := range secrets {
		if len(secret) == 0 {
			return nil, errors.New("jwt: a secret is empty")
		}
		if len(secret) < MinSecret {
			log.Warn("the JWT secret is short enough to be guessed from a token; RFC 7518 wants 32 bytes",
				slog.Int("bytes", len(secret)))
		}
		all.Keys = append(all.Keys, bytes.Clone(secret))
	}
	find := func(*jwt.Token) (any, error) { return all, nil }
	return func(context.Context) jwt.Keyfunc { return find }, nil
}

// fixedKeys are public keys that do not change.
type fixedKeys []setKey

// source is the keySource: of the keys all that fit the algorithm of the token.
func (k fixedKeys) source(context.Context) jwt.Keyfunc {
	return func(token *jwt.Token) (any, error) { return fitting(k, token), nil }
}

// fitting returns those of the keys that may verify a token.
func fitting(keys []setKey, token *jwt.Token) jwt.VerificationKeySet {
	var fit jwt.VerificationKeySet
	for _, k := range keys {
		if slices.Contains(k.algorithms, canonical(token.Method.Alg())) {
			fit.Keys = append(fit.Keys, k.key)
		}
	}
	return fit
}

// publicKeys reads the keys, and tells what they can verify together.
func publicKeys(texts [][]byte) (fixedKeys, []string, error) {
	var keys fixedKeys
	var verifiable []string
	for _, text := range texts {
		key, err := parsePublicKey(text)
		if err != nil {
			return nil, nil, err
		}
		algorithms := algorithmsOf(key)
		keys = append(keys, setKey{key, algorithms})
		verifiable = append(verifiable, algorithms...)
	}
	return keys, verifiable, nil
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
