package guard

import (
	"net/netip"
	"testing"

	"github.com/google/uuid"
)

// TestTenantsServed: a live credential of another tenant is refused as such, whatever
// else would refuse it; one that is not live is refused like every other.
func TestTenantsServed(t *testing.T) {
	for _, tc := range []struct {
		name   string
		tenant uuid.UUID // the one that is served
		token  string
		want   Outcome
	}{
		{"served", tenant, callbackToken, Allowed},
		{"not served", callbackID, callbackToken, WrongTenant},
		{"not served, from the wrong address", callbackID, boundToken, WrongTenant},
		{"revoked", callbackID, "revoked-token", Revoked},
		{"unknown", callbackID, "unknown-token", Unknown},
	} {
		p := testPolicy(t)
		p.Tenants = map[uuid.UUID]bool{tc.tenant: true}
		req := Request{Method: "POST", Target: callbackPath, Tokens: []string{tc.token}, Peer: Peer{Client: netip.MustParseAddr("192.0.2.1")}}
		if d := p.Decide(&req, fullRing(), now); d.Outcome != tc.want {
			t.Errorf("%s: %s", tc.name, d.Outcome)
		}
	}
}
