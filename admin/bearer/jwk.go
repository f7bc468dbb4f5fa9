package bearer

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/MicahParks/jwkset"
)

// setKey is a key of a key set.
type setKey struct {
	key        crypto.PublicKey
	algorithms []string // that it may verify
}

// droppedKey is a key of a key set that is of no use here.
type droppedKey struct {
	id     string
	reason error
}

var errNotKeySet = errors.New("not a JWK set")

// readKeySet returns the keys of a set that may verify one of the algorithms, by their
// id, which several may share (RFC 7517 section 4.5). An id of which no key can be used
// is there too. That some cannot be used is no error: issuers publish keys for encryption
// beside those for signatures, and of types that are unknown here.
func readKeySet(text []byte, algorithms []string) (map[string][]setKey, []droppedKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil || set.Keys == nil {
		return nil, nil, errNotKeySet
	}
	keys := make(map[string][]setKey)
	var dropped []droppedKey
	for _, raw := range set.Keys {
		id, key, err := readKey(raw, algorithms)
		same := keys[id]
		if err == nil {
			same = append(same, key)
		} else {
			dropped = append(dropped, droppedKey{id, err})
		}
		keys[id] = same
	}
	return keys, dropped, nil
}

// keyMaterial are the members that make a public key (RFC 7518 section 6).
type keyMaterial struct {
	KTY string `json:"kty"`
	CRV string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
}

// readKey reads a key. Certificates and their digests prove nothing of it here, and many
// issuers have them wrong, so they are not looked at.
func readKey(raw []byte, algorithms []string) (id string, key setKey, err error) {
	var about struct {
		keyMaterial
		ID         string          `json:"kid"`
		Use        string          `json:"use"`
		Operations []string        `json:"key_ops"`
		Algorithm  string          `json:"alg"`
		Private    json.RawMessage `json:"d"`
	}
	err = json.Unmarshal(raw, &about)
	switch {
	case about.ID == "":
		return "", key, errors.New("it has no kid")
	case err != nil:
		return about.ID, key, errors.New("a member has the wrong type")
	case about.Private != nil:
		return about.ID, key, errors.New("it is a private key, which nobody should publish")
	case about.Use != "" && about.Use != "sig":
		return about.ID, key, errors.New("its use is another than signatures")
	case len(about.Operations) > 0 && !slices.Contains(about.Operations, "verify"):
		return about.ID, key, errors.New("verify is not among its operations")
	}
	material, err := json.Marshal(about.keyMaterial)
	if err != nil {
		return about.ID, key, err
	}
	parsed, err := jwkset.NewJWKFromRawJSON(material, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return about.ID, key, errors.New("its members make no public key of a known type")
	}
	key.key = parsed.Key()
	for _, name := range algorithmsOf(key.key) {
		if slices.Contains(algorithms, name) && (about.Algorithm == "" || canonical(about.Algorithm) == name) {
			key.algorithms = append(key.algorithms, name)
		}
	}
	if len(key.algorithms) == 0 {
		return about.ID, key, fmt.Errorf("it verifies none of the algorithms %v", algorithms)
	}
	return about.ID, key, nil
}
