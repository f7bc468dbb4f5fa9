package store

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestParsePrefix(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "3.130.254.46": "3.130.254.46/32", "0.0.0.0/0": "0.0.0.0/0", "2001:DB8::/32": "2001:db8::/32",
		"2001:db8::1": "2001:db8::1/128", "::ffff:10.0.0.1": "10.0.0.1/32", "::ffff:10.0.0.0/104": "10.0.0.0/8", "::ffff:0:0/96": "0.0.0.0/0",
	} {
		if got, err := ParsePrefix(text); err != nil || got.String() != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "x", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0", "fe80::1%eth0", "fe80::1%eth0/64", "2001:db8::1/32",
		"::ffff:0:0/95", "::ffff:10.0.0.1/104", " 10.0.0.0/8", "10.0.0.0/8 ", "010.0.0.1",
	} {
		if got, err := ParsePrefix(text); err == nil {
			t.Errorf("%q was accepted as %s", text, got)
		}
	}
}

func TestAllowedIPsOfASpec(t *testing.T) {
	prefixes := func(texts ...string) (list []netip.Prefix) {
		for _, text := range texts {
			list = append(list, netip.MustParsePrefix(text))
		}
		return list
	}
	spec := Spec{Tenant: tenant, Kind: KindCallback, AllowedIPs: prefixes("192.0.2.1/32", "10.0.0.0/8", "192.0.2.1/32")}
	c, _, err := newCredential(spec)
	if err := errors.Join(spec.validate(), err); err != nil {
		t.Fatal(err)
	}
	if want := prefixes("10.0.0.0/8", "192.0.2.1/32"); !reflect.DeepEqual(c.AllowedIPs, want) {
		t.Errorf("%v, want %v", c.AllowedIPs, want)
	}
	many := make([]netip.Prefix, maxAllowedIPs+1)
	for i := range many {
		many[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 32)
	}
	for name, list := range map[string][]netip.Prefix{
		"invalid": {netip.Prefix{}}, "with host bits": prefixes("10.0.0.1/8"), "mapped": prefixes("::ffff:10.0.0.1/128"), "many": many,
	} {
		spec.AllowedIPs = list
		if err := spec.validate(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeyEncodedBeforeAllowedIPs: values that are in Redis already stay readable,
// and a credential without a list is still encoded as it was.
func TestKeyEncodedBeforeAllowedIPs(t *testing.T) {
	key := Key{ID: testID(7), ExpiresAt: 99, Identity: &Identity{Tenant: tenant, Kind: KindWebhook, Vendor: "belvo", Connection: "main"}}
	old := []byte{1}
	old = append(old, key.ID[:]...)
	old = append(old, tenant[:]...)
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
		if key, err := decodeKey(value); !errors.Is(err, errCorrupt) {
			t.Errorf("%q: %v, %v", list, key.AllowedIPs, err)
		}
	}
}

func TestIdentitiesAreInternedByTheirContent(t *testing.T) {
	identity := func(ips string) *Identity {
		list, err := parseIPs(ips)
		if err != nil {
			t.Fatal(err)
		}
		return &Identity{Tenant: tenant, Kind: KindCallback, Label: "JIRA", AllowedIPs: list}
	}
	idx := newIndex("epoch")
	a, b, none := idx.intern(identity("10.0.0.0/8")), idx.intern(identity("10.0.0.0/8")), idx.intern(identity(""))
	if a != b || a == none {
		t.Errorf("positions %d, %d, %d", a, b, none)
	}
	// Fields run together must not make two identities one.
	left := idx.intern(&Identity{Tenant: tenant, Kind: KindWebhook, Vendor: "ab", Connection: "c"})
	right := idx.intern(&Identity{Tenant: tenant, Kind: KindWebhook, Vendor: "a", Connection: "bc"})
	if left == right {
		t.Error("different identities share a position")
	}
}

// TestAllowedIPsReachTheKeyring: through the record, the ledger and a snapshot.
func TestAllowedIPsReachTheKeyring(t *testing.T) {
	dir := t.TempDir()
	allowed := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	s := open(t, Config{EmbeddedDir: dir})
	ctx := t.Context()
	c, token, err := s.Mint(ctx, Spec{Tenant: tenant, Kind: KindCallback, AllowedIPs: allowed})
	if err != nil {
		t.Fatal(err)
	}
	check := func(s *Store, token string) {
		t.Helper()
		key, standing := s.Keyring().Lookup(DigestToken(token))
		if standing != Live || !reflect.DeepEqual(key.AllowedIPs, allowed) {
			t.Errorf("standing %d, allowed %v", standing, key.Identity)
		}
	}
	check(s, token)
	got, err := s.Get(ctx, Ref{tenant, KindCallback, c.ID})
	if err != nil || !reflect.DeepEqual(got.AllowedIPs, allowed) {
		t.Errorf("%v, %v", got.AllowedIPs, err)
	}
	_, rotated, err := s.Rotate(ctx, Ref{tenant, KindCallback, c.ID}, Rotation{})
	if err != nil {
		t.Fatal(err)
	}
	check(s, rotated)
	destruct(t, s)
	check(open(t, Config{EmbeddedDir: dir}), rotated)
}

func FuzzParsePrefix(f *testing.F) {
	for _, seed := range strings.Fields("10.0.0.0/8 ::ffff:10.0.0.1 2001:db8::/32 fe80::1%x 1.2.3.4/33") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		prefix, err := ParsePrefix(text)
		if err != nil {
			return
		}
		if again, err := ParsePrefix(prefix.String()); err != nil || again != prefix {
			t.Errorf("%q is %s, which is %s, %v", text, prefix, again, err)
		}
		if prefix.Addr().Is4In6() || prefix != prefix.Masked() || prefix.Addr().Zone() != "" {
			t.Errorf("%q is %s, which is not canonical", text, prefix)
		}
	})
}
