package store

import (
	"errors"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential/credentialtest"

	"github.com/hookgate/hookgate/credential"
)

func TestUnreadableRecordIsRefused(t *testing.T) {
	c := credential.Credential{
		ID: credentialtest.ID(1), Tenant: tenant, TenantAs: credential.TenantDashless, Kind: credential.KindWebhook, Label: "l", Vendor: "v", Connection: "c",
		AllowedIPs: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")},
		ExpiresAt:  time.UnixMilli(5000).UTC(), Supersedes: credentialtest.ID(2), Digest: credentialtest.Digest(1),
	}
	fields := map[string]string{}
	for pair := range slices.Chunk(recordFields(&c), 2) {
		fields[pair[0]] = pair[1]
	}
	fields[fieldVersion], fields[fieldCreatedAt] = "1", "1000"
	c.Version, c.CreatedAt = "1", time.UnixMilli(1000).UTC()
	if got, err := parseRecord(c.ID, fields); err != nil || !reflect.DeepEqual(got, c) {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, spoil := range map[string]func(map[string]string){
		"nothing":            func(m map[string]string) { clear(m) },
		"no digest":          func(m map[string]string) { delete(m, fieldDigest) },
		"short digest":       func(m map[string]string) { m[fieldDigest] = "x" },
		"no kind":            func(m map[string]string) { delete(m, fieldKind) },
		"unknown kind":       func(m map[string]string) { m[fieldKind] = "password" },
		"no version":         func(m map[string]string) { delete(m, fieldVersion) },
		"no tenant":          func(m map[string]string) { delete(m, fieldTenant) },
		"tenant in text":     func(m map[string]string) { m[fieldTenant] = tenant.String() },
		"short predecessor":  func(m map[string]string) { m[fieldSupersedes] = "x" },
		"no creation time":   func(m map[string]string) { delete(m, fieldCreatedAt) },
		"unreadable instant": func(m map[string]string) { m[fieldRevokedAt] = "yesterday" },
		"unreadable address": func(m map[string]string) { m[fieldAllowedIPs] = "10.0.0.0/8 here" },
	} {
		spoiled := maps.Clone(fields)
		spoil(spoiled)
		if _, err := parseRecord(c.ID, spoiled); !errors.Is(err, credential.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
