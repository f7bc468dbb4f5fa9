package keyring

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/hookgate/hookgate/credential/credentialtest"

	"github.com/hookgate/hookgate/credential"
)

// TestKeyEncodedBeforeAllowedIPs: values that are in Redis already stay readable,
// and a credential without a list is still encoded as it was.
func TestKeyEncodedBeforeAllowedIPs(t *testing.T) {
	key := Key{ID: credentialtest.ID(7), ExpiresAt: 99, Identity: &Identity{Tenant: credentialtest.Tenant, Kind: credential.KindWebhook, Vendor: "belvo", Connection: "main"}}
	old := []byte{1}
	old = append(old, key.ID[:]...)
	old = append(old, credentialtest.Tenant[:]...)
	old = binary.AppendUvarint(old, 99)
	for _, s := range []string{"belvo", "main", ""} {
		old = append(binary.AppendUvarint(old, uint64(len(s))), s...)
	}
	if got, err := decodeKey(string(old)); err != nil || !equalKeys(got, key) {
		t.Errorf("%+v, %v", got, err)
	}
	if encodeKey(key) != string(old) {
		t.Error("it is encoded differently now")
	}
}

// TestUnreadableAllowedIPsAreNoEmptyList: a list that cannot be read must not let
// every address in.
func TestUnreadableAllowedIPsAreNoEmptyList(t *testing.T) {
	base := encodeKey(testKey(1))
	for _, list := range []string{"x", "10.0.0.0/8 ", " ", "10.0.0.1/8", "10.0.0.0/8  192.0.2.1/32"} {
		value := base + string(binary.AppendUvarint(nil, uint64(len(list)))) + list
		if key, err := decodeKey(value); !errors.Is(err, credential.ErrCorrupt) {
			t.Errorf("%q: %v, %v", list, key.AllowedIPs, err)
		}
	}
}

func TestIdentitiesAreInternedByTheirContent(t *testing.T) {
	identity := func(ips string) *Identity {
		list, err := credential.ParseIPs(ips)
		if err != nil {
			t.Fatal(err)
		}
		return &Identity{Tenant: credentialtest.Tenant, Kind: credential.KindCallback, Label: "JIRA", AllowedIPs: list}
	}
	idx := NewIndex("epoch")
	a, b, none := idx.intern(identity("10.0.0.0/8")), idx.intern(identity("10.0.0.0/8")), idx.intern(identity(""))
	if a != b || a == none {
		t.Errorf("positions %d, %d, %d", a, b, none)
	}
	// Fields run together must not make two identities one.
	left := idx.intern(&Identity{Tenant: credentialtest.Tenant, Kind: credential.KindWebhook, Vendor: "ab", Connection: "c"})
	right := idx.intern(&Identity{Tenant: credentialtest.Tenant, Kind: credential.KindWebhook, Vendor: "a", Connection: "bc"})
	if left == right {
		t.Error("different identities share a position")
	}
}
