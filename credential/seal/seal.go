// Package seal keeps the secrets of vendors from whoever reads the data set: they are
// stored encrypted, under keys that only the processes of the guard have.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// keySize is that of AES-256.
const keySize = 32

// version begins what is sealed, so that another way of sealing can follow.
const version = 1

var (
	// ErrNoKey: there is nothing to seal with.
	ErrNoKey = errors.New("there is no seal_key")
	// ErrUnsealable: none of the keys opens it, or somebody changed it.
	ErrUnsealable = errors.New("the secrets cannot be opened with any seal_key")
	errKey        = errors.New("want the base64 of 32 random bytes, such as `openssl rand -base64 32` prints")
)

// Keys are the keys of one process: the first seals, each of them opens. Nil has none.
type Keys struct{ ciphers []cipher.AEAD }

// ParseKeys reads keys in base64, of which the first is to seal.
func ParseKeys(texts ...string) (*Keys, error) {
	k := new(Keys)
	seen := make(map[string]bool)
	for i, text := range texts {
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)) // a file may end with a line feed
		if err != nil || len(key) != keySize {
			return nil, fmt.Errorf("key %d: %w", i+1, errKey)
		}
		if seen[string(key)] {
			return nil, fmt.Errorf("key %d is given twice", i+1)
		}
		seen[string(key)] = true
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		k.ciphers = append(k.ciphers, aead)
	}
	return k, nil
}

// Seal returns the secrets of a credential as they are stored. They open for this
// credential alone: who can write to the data set cannot give one tenant's secrets to
// another.
func (k *Keys) Seal(credential uuid.UUID, secrets []string) (string, error) {
	if k == nil || len(k.ciphers) == 0 {
		return "", ErrNoKey
	}
	plain, err := json.Marshal(secrets)
	if err != nil {
		return "", err
	}
	aead := k.ciphers[0]
	sealed := make([]byte, 1+aead.NonceSize(), 1+aead.NonceSize()+len(plain)+aead.Overhead())
	sealed[0] = version
	// 96 random bits: NIST SP 800-38D section 8.3 allows 2^32 of them under one key.
	rand.Read(sealed[1:])
	return string(aead.Seal(sealed, sealed[1:], plain, credential[:])), nil
}

// Open returns the secrets that Seal was given. Its errors are ErrNoKey and
// ErrUnsealable.
func (k *Keys) Open(credential uuid.UUID, sealed string) ([]string, error) {
	if k == nil || len(k.ciphers) == 0 {
		return nil, ErrNoKey
	}
	for _, aead := range k.ciphers {
		if len(sealed) < 1+aead.NonceSize() || sealed[0] != version {
			return nil, ErrUnsealable
		}
		nonce, box := sealed[1:1+aead.NonceSize()], sealed[1+aead.NonceSize():]
		plain, err := aead.Open(nil, []byte(nonce), []byte(box), credential[:])
		if err != nil {
			continue
		}
		var secrets []string
		if json.Unmarshal(plain, &secrets) != nil || len(secrets) == 0 {
			return nil, ErrUnsealable
		}
		return secrets, nil
	}
	return nil, ErrUnsealable
}
