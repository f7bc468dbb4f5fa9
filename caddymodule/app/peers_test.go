package app

import (
	"slices"
	"testing"

	"github.com/hookgate/hookgate/guard"
)

// TestOrderOfGuards: Caddy provisions servers in any order, and a webhook URL is that of
// the first guard that takes the vendor.
func TestOrderOfGuards(t *testing.T) {
	policy := func(path string) *guard.Policy {
		route, err := guard.WebhookRoute(path)
		if err != nil {
			t.Fatal(err)
		}
		return &guard.Policy{Routes: []guard.Route{route}}
	}
	first, second := policy("/a/{vendor}/{token}"), policy("/b/{vendor}/{token}")
	for _, order := range [][]*guard.Policy{{first, second}, {second, first}} {
		p := NewPeers()
		if p.Policies() != nil {
			t.Error("there is a guard before any is provisioned")
		}
		for _, policy := range order {
			p.Guards(policy)
		}
		if !slices.Equal(p.Policies(), []*guard.Policy{first, second}) {
			t.Error("the order is that of provisioning")
		}
	}
}
