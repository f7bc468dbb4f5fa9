package guard

import (
	"net/netip"
	"testing"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// TestSaysSame: what an operator changes of a credential counts where the upstream is told of it.
func TestSaysSame(t *testing.T) {
	asserter := newAsserter(t, func(a *Assertion) { a.Tenant = SpelledMinted })
	for name, tc := range map[string]struct {
		kind   credential.Kind
		change func(*keyring.Identity)
		same   bool
	}{
		"nothing":                    {credential.KindCallback, func(*keyring.Identity) {}, true},
		"the label of a callback":    {credential.KindCallback, func(i *keyring.Identity) { i.Label = "new" }, false},
		"the label of a webhook":     {credential.KindWebhook, func(i *keyring.Identity) { i.Label = "new" }, true}, // which is sent nowhere
		"the vendor":                 {credential.KindWebhook, func(i *keyring.Identity) { i.Vendor = "new" }, false},
		"the connection":             {credential.KindWebhook, func(i *keyring.Identity) { i.Connection = "new" }, false},
		"the tenant":                 {credential.KindAPI, func(i *keyring.Identity) { i.Tenant = uuid.New() }, false},
		"the tenant's spelling":      {credential.KindAPI, func(i *keyring.Identity) { i.TenantAs = credential.TenantDashless }, false},
		"addresses that let it pass": {credential.KindCallback, func(i *keyring.Identity) { i.AllowedIPs = []netip.Prefix{{}} }, true},
		"the beginning of its grace": {credential.KindCallback, func(i *keyring.Identity) { i.InGrace = true }, true},
	} {
		before := keyring.Identity{Tenant: tenant, Kind: tc.kind, Label: "old", Vendor: "old", Connection: "old", TenantAs: credential.TenantDashed}
		after := before
		tc.change(&after)
		p := Policy{Asserter: asserter}
		if got := p.SaysSame(&Decision{Credential: callbackID, Identity: &before}, &Decision{Credential: callbackID, Identity: &after}); got != tc.same {
			t.Errorf("%s: %v", name, got)
		}
	}
}
