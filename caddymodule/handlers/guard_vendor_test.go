package handlers

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

func vendorGuard(name string, v *Vendor) *Guard {
	return &Guard{TokenHeader: defaultTokenHeader, Webhook: []string{defaultWebhook}, Vendors: map[string]*Vendor{name: v}}
}

func TestVendorProvision(t *testing.T) {
	t.Setenv("HOOKGATE_TEST_SIGNING", "resolved-signing-secret")
	t.Setenv("HOOKGATE_TEST_EMPTY", "")
	signed := func(header string, secrets ...string) *Vendor {
		return &Vendor{Signature: &Signature{Header: header, Secrets: secrets}}
	}
	g := vendorGuard("acme", signed("x-signature", "{env.HOOKGATE_TEST_SIGNING}"))
	if err := g.addVendors(); err != nil {
		t.Fatal(err)
	}
	check := g.policy.Vendors["acme"].Signature
	if check.Header != "X-Signature" || string(check.Secrets[0]) != "resolved-signing-secret" {
		t.Errorf("%+v", check)
	}
	if shown, err := json.Marshal(g); err != nil || strings.Contains(string(shown), "resolved-signing-secret") {
		t.Errorf("the secret is in %s, %v", shown, err)
	}
	for name, g := range map[string]*Guard{
		"unresolved secret":     vendorGuard("acme", signed("X-Signature", "{env.HOOKGATE_TEST_UNSET}")),
		"empty secret":          vendorGuard("acme", signed("X-Signature", "{env.HOOKGATE_TEST_EMPTY}")),
		"second secret empty":   vendorGuard("acme", signed("X-Signature", "{env.HOOKGATE_TEST_SIGNING}", "{env.HOOKGATE_TEST_EMPTY}")),
		"unknown placeholder":   vendorGuard("acme", signed("X-Signature", "{nonsense}")),
		"no secret":             vendorGuard("acme", signed("X-Signature")),
		"no header":             vendorGuard("acme", signed("", "{env.HOOKGATE_TEST_SIGNING}")),
		"not a header":          vendorGuard("acme", signed("X Signature", "{env.HOOKGATE_TEST_SIGNING}")),
		"the token header":      vendorGuard("acme", signed("x-callback-token", "{env.HOOKGATE_TEST_SIGNING}")),
		"no condition":          vendorGuard("acme", &Vendor{}),
		"null":                  vendorGuard("acme", nil),
		"not an address":        vendorGuard("acme", &Vendor{AllowIPs: []string{"10.0.0.1", "localhost"}}),
		"prefix with host bits": vendorGuard("acme", &Vendor{AllowIPs: []string{"10.0.0.1/8"}}),
		"not a vendor":          vendorGuard("Acme", &Vendor{AllowIPs: []string{"::1"}}),
		"reserved vendor":       vendorGuard("tokens", &Vendor{AllowIPs: []string{"::1"}}),
		"no webhook path":       {Vendors: map[string]*Vendor{"acme": {AllowIPs: []string{"::1"}}}},
	} {
		if err := g.addVendors(); err == nil {
			t.Errorf("%s: it loads", name)
		} else if strings.Contains(err.Error(), "resolved-signing-secret") {
			t.Errorf("%s: the secret is in the error: %v", name, err)
		}
	}
}

func TestFailureLimitProvision(t *testing.T) {
	provisioned := func(limit *FailureLimit) *Guard {
		g := &Guard{FailureLimit: limit}
		if err := g.provisionThrottle(); err != nil {
			t.Fatalf("%+v: %v", limit, err)
		}
		t.Cleanup(func() { g.Cleanup() })
		return g
	}
	if g := provisioned(nil); g.policy.Throttle == nil || *g.FailureLimit != (FailureLimit{Failures: 60, Window: caddy.Duration(time.Minute)}) {
		t.Errorf("default: %+v", g.FailureLimit)
	}
	if g := provisioned(&FailureLimit{Off: true}); g.policy.Throttle != nil {
		t.Error("off, and there is a throttle")
	}
	for _, limit := range []FailureLimit{
		{}, {Failures: 5}, {Window: minFailureWindow}, {Failures: -1, Window: minFailureWindow}, {Failures: maxFailures + 1, Window: minFailureWindow},
		{Failures: 5, Window: 1}, {Failures: 5, Window: maxFailureWindow + 1}, {Off: true, Failures: 5, Window: minFailureWindow},
	} {
		g := &Guard{FailureLimit: &limit}
		if err := g.provisionThrottle(); err == nil {
			t.Errorf("%+v was accepted", limit)
		}
		if err := g.Cleanup(); err != nil { // as Caddy does after a Provision that failed
			t.Errorf("%+v: %v", limit, err)
		}
	}
}

// TestThrottleSurvivesReload: the new configuration is provisioned before the old
// one is cleaned up.
func TestThrottleSurvivesReload(t *testing.T) {
	guards := make([]*Guard, 3)
	for i, failures := range []int{5, 5, 6} {
		guards[i] = &Guard{FailureLimit: &FailureLimit{Failures: failures, Window: caddy.Duration(time.Hour)}}
		if err := guards[i].provisionThrottle(); err != nil {
			t.Fatal(err)
		}
	}
	if guards[0].policy.Throttle != guards[1].policy.Throttle {
		t.Error("an unchanged setting starts over")
	}
	if guards[0].policy.Throttle == guards[2].policy.Throttle {
		t.Error("another setting shares the state")
	}
	for _, g := range guards {
		if err := g.Cleanup(); err != nil {
			t.Error(err)
		}
	}
	if _, held := throttles.References("5 in 1h0m0s"); held {
		t.Error("the throttle is still held")
	}
}
