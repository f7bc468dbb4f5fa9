package seal_test

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential/seal"
)

// key returns a key in base64, another one for each letter.
func key(letter string) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))
}

func keys(t *testing.T, letters ...string) *seal.Keys {
	t.Helper()
	texts := make([]string, len(letters))
	for i, letter := range letters {
		texts[i] = key(letter)
	}
	k, err := seal.ParseKeys(texts...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestOpen: what the first key sealed opens for that credential alone, and with that key
// alone, wherever it stands.
func TestOpen(t *testing.T) {
	mine, another := uuid.New(), uuid.New()
	secrets := []string{"whsec_one", "-----BEGIN PUBLIC KEY-----\nü"}
	sealed, err := keys(t, "a", "b").Seal(mine, secrets)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := keys(t, "a").Seal(mine, secrets)
	if again == sealed {
		t.Error("sealed twice alike: it shows which credentials share a secret")
	}
	if strings.Contains(sealed, "whsec") {
		t.Error("the secret stands in it")
	}
	flipped := []byte(sealed)
	flipped[len(flipped)-1] ^= 1
	for _, tc := range []struct {
		name   string
		keys   *seal.Keys
		id     uuid.UUID
		sealed string
		want   error
	}{
		{"the first key", keys(t, "a"), mine, sealed, nil},
		{"an older key", keys(t, "b", "a"), mine, sealed, nil},
		{"the second key of then", keys(t, "b"), mine, sealed, seal.ErrUnsealable},
		{"another credential", keys(t, "a"), another, sealed, seal.ErrUnsealable},
		{"changed", keys(t, "a"), mine, string(flipped), seal.ErrUnsealable},
		{"cut off", keys(t, "a"), mine, sealed[:8], seal.ErrUnsealable},
		{"empty", keys(t, "a"), mine, "", seal.ErrUnsealable},
		{"of another version", keys(t, "a"), mine, "\x02" + sealed[1:], seal.ErrUnsealable},
		{"no key", keys(t), mine, sealed, seal.ErrNoKey},
		{"none at all", nil, mine, sealed, seal.ErrNoKey},
	} {
		got, err := tc.keys.Open(tc.id, tc.sealed)
		if !errors.Is(err, tc.want) || tc.want == nil && !slices.Equal(got, secrets) {
			t.Errorf("%s: %q, %v", tc.name, got, err)
		}
	}
	if _, err := (*seal.Keys)(nil).Seal(mine, secrets); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("sealed without a key: %v", err)
	}
}

// TestParseKeys: what is no key is refused, and never repeated.
func TestParseKeys(t *testing.T) {
	for name, texts := range map[string][]string{
		"short": {"c2hvcnQ="}, "not base64": {"%%%"}, "empty": {""}, "twice": {key("a"), key("b"), key("a")},
		"long": {base64.StdEncoding.EncodeToString(make([]byte, 33))},
	} {
		_, err := seal.ParseKeys(texts...)
		if err == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		for _, text := range texts {
			if text != "" && strings.Contains(err.Error(), text) {
				t.Errorf("%s: the error repeats the key: %v", name, err)
			}
		}
	}
	if _, err := seal.ParseKeys(key("a") + "\n"); err != nil {
		t.Errorf("from a file with a line feed: %v", err)
	}
}
