package store

import (
	"errors"
	"net/netip"
	"reflect"
	"testing"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

func TestAllowedIPsOfASpec(t *testing.T) {
	prefixes := func(texts ...string) (list []netip.Prefix) {
		for _, text := range texts {
			list = append(list, netip.MustParsePrefix(text))
		}
		return list
	}
	spec := credential.Spec{Tenant: tenant, Kind: credential.KindCallback, AllowedIPs: prefixes("192.0.2.1/32", "10.0.0.0/8", "192.0.2.1/32")}
	c, _, err := credential.NewCredential(spec)
	if err := errors.Join(spec.Validate(), err); err != nil {
		t.Fatal(err)
	}
	if want := prefixes("10.0.0.0/8", "192.0.2.1/32"); !reflect.DeepEqual(c.AllowedIPs, want) {
		t.Errorf("%v, want %v", c.AllowedIPs, want)
	}
	many := make([]netip.Prefix, credential.MaxAllowedIPs+1)
	for i := range many {
		many[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 32)
	}
	for name, list := range map[string][]netip.Prefix{
		"invalid": {netip.Prefix{}}, "with host bits": prefixes("10.0.0.1/8"), "mapped": prefixes("::ffff:10.0.0.1/128"), "many": many,
	} {
		spec.AllowedIPs = list
		if err := spec.Validate(); !errors.Is(err, credential.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAllowedIPsReachTheKeyring: through the record, the ledger and a snapshot.
func TestAllowedIPsReachTheKeyring(t *testing.T) {
	dir := t.TempDir()
	allowed := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	s := open(t, Config{EmbeddedDir: dir})
	ctx := t.Context()
	c, token, err := s.Mint(ctx, credential.Spec{Tenant: tenant, Kind: credential.KindCallback, AllowedIPs: allowed})
	if err != nil {
		t.Fatal(err)
	}
	check := func(s *Store, token string) {
		t.Helper()
		key, standing := s.Keyring().Lookup(credential.DigestToken(token))
		if standing != keyring.Live || !reflect.DeepEqual(key.AllowedIPs, allowed) {
			t.Errorf("standing %d, allowed %v", standing, key.Identity)
		}
	}
	check(s, token)
	got, err := s.Get(ctx, Ref{tenant, credential.KindCallback, c.ID})
	if err != nil || !reflect.DeepEqual(got.AllowedIPs, allowed) {
		t.Errorf("%v, %v", got.AllowedIPs, err)
	}
	_, rotated, err := s.Rotate(ctx, Ref{tenant, credential.KindCallback, c.ID}, Rotation{})
	if err != nil {
		t.Fatal(err)
	}
	check(s, rotated)
	destruct(t, s)
	check(open(t, Config{EmbeddedDir: dir}), rotated)
}
