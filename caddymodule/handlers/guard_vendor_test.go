package handlers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/hookgate/hookgate/proof"
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
	mac := hmac.New(sha256.New, []byte("resolved-signing-secret"))
	mac.Write([]byte("body"))
	message := &proof.Message{Method: "POST", Header: map[string][]string{"X-Signature": {hex.EncodeToString(mac.Sum(nil))}}, Body: []byte("body")}
	if verdict := g.policy.Vendors["acme"].Proof.Verify(message); verdict.Result != proof.OK {
		t.Errorf("signed with the resolved secret: %s", verdict.Result)
	}
	if shown, err := json.Marshal(g); err != nil || strings.Contains(string(shown), "resolved-signing-secret") {
		t.Errorf("the secret is in %s, %v", shown, err)
	}
	for name, g := range map[string]*Guard{
		"unresolved secret":             vendorGuard("acme", signed("X-Signature", "{env.HOOKGATE_TEST_UNSET}")),
		"empty secret":                  vendorGuard("acme", signed("X-Signature", "{env.HOOKGATE_TEST_EMPTY}")),
		"second secret empty":           vendorGuard("acme", signed("X-Signature", "{env.HOOKGATE_TEST_SIGNING}", "{env.HOOKGATE_TEST_EMPTY}")),
		"unknown placeholder":           vendorGuard("acme", signed("X-Signature", "{nonsense}")),
		"no secret":                     vendorGuard("acme", signed("X-Signature")),
		"no header":                     vendorGuard("acme", signed("", "{env.HOOKGATE_TEST_SIGNING}")),
		"not a header":                  vendorGuard("acme", signed("X Signature", "{env.HOOKGATE_TEST_SIGNING}")),
		"the token header":              vendorGuard("acme", signed("x-callback-token", "{env.HOOKGATE_TEST_SIGNING}")),
		"no condition":                  vendorGuard("acme", &Vendor{}),
		"null":                          vendorGuard("acme", nil),
		"not an address":                vendorGuard("acme", &Vendor{AllowIPs: []string{"10.0.0.1", "localhost"}}),
		"prefix with host bits":         vendorGuard("acme", &Vendor{AllowIPs: []string{"10.0.0.1/8"}}),
		"not a vendor":                  vendorGuard("Acme", &Vendor{AllowIPs: []string{"::1"}}),
		"reserved vendor":               vendorGuard("tokens", &Vendor{AllowIPs: []string{"::1"}}),
		"no webhook path":               {Vendors: map[string]*Vendor{"acme": {AllowIPs: []string{"::1"}}}},
		"require any without addresses": vendorGuard("acme", &Vendor{Require: "any", Signature: signed("X-S", "{env.HOOKGATE_TEST_SIGNING}").Signature}),
		"require any without a proof":   vendorGuard("acme", &Vendor{Require: "any", AllowIPs: []string{"::1"}}),
		"require something":             vendorGuard("acme", &Vendor{Require: "some", AllowIPs: []string{"::1"}}),
		"enforce maybe":                 vendorGuard("acme", &Vendor{Enforce: "maybe", AllowIPs: []string{"::1"}}),
		"replay of a constant secret":   vendorGuard("acme", &Vendor{Replay: caddy.Duration(time.Minute), Verify: []*Verify{constant(nil)}}),
		"replay too short":              vendorGuard("acme", &Vendor{Replay: caddy.Duration(time.Millisecond)}),
		"replay too long":               vendorGuard("acme", &Vendor{Replay: caddy.Duration(8 * 24 * time.Hour)}),
		"success that is none":          vendorGuard("acme", &Vendor{Success: &Success{Status: 302}}),
		"unknown preset":                vendorGuard("acme", &Vendor{Verify: []*Verify{{Preset: "no-such", Secrets: []string{"{env.HOOKGATE_TEST_SIGNING}"}}}}),
		"preset and scheme":             vendorGuard("acme", &Vendor{Verify: []*Verify{{Preset: "x", Scheme: new(proof.Scheme), Secrets: []string{"x"}}}}),
		"neither preset nor scheme":     vendorGuard("acme", &Vendor{Verify: []*Verify{{Secrets: []string{"x"}}}}),
		"verify of null":                vendorGuard("acme", &Vendor{Verify: []*Verify{nil}}),
		"scheme without a secret":       vendorGuard("acme", &Vendor{Verify: []*Verify{{Scheme: constant(nil).Scheme}}}),
		"scheme that is none":           vendorGuard("acme", &Vendor{Verify: []*Verify{{Scheme: new(proof.Scheme), Secrets: []string{"{env.HOOKGATE_TEST_SIGNING}"}}}}),
		"secret that is no key":         vendorGuard("acme", &Vendor{Verify: []*Verify{{Scheme: &proof.Scheme{Algorithm: "ed25519", Signature: constant(nil).Scheme.Signature}, Secrets: []string{"{env.HOOKGATE_TEST_SIGNING}"}}}}),
		"signature in the token header": vendorGuard("acme", &Vendor{Verify: []*Verify{{Scheme: &proof.Scheme{Signature: proof.Signature{Place: proof.Place{Header: []string{"x-callback-token"}}}}, Secrets: []string{"{env.HOOKGATE_TEST_SIGNING}"}}}}),
		"unknown challenge":             vendorGuard("acme", &Vendor{Challenge: &proof.Challenge{Kind: "duel"}}),
		"challenge of an empty secret":  vendorGuard("acme", &Vendor{Challenge: &proof.Challenge{Kind: "meta", Secret: "{env.HOOKGATE_TEST_EMPTY}"}}),
	} {
		if err := g.addVendors(); err == nil {
			t.Errorf("%s: it loads", name)
		} else if strings.Contains(err.Error(), "resolved-signing-secret") {
			t.Errorf("%s: the secret is in the error: %v", name, err)
		} else if strings.Count(err.Error(), "hookgate:") != 1 || strings.Count(err.Error(), "acme") > 1 || strings.Count(err.Error(), "challenge:") > 1 {
			t.Errorf("%s: the error says a thing twice: %v", name, err)
		}
	}
}

// constant is a constant secret in a header, with the header of an id.
func constant(id []string) *Verify {
	scheme := &proof.Scheme{Algorithm: "equal", Signature: proof.Signature{Place: proof.Place{Header: []string{"X-Secret"}}}}
	if id != nil {
		scheme.ID = &proof.Place{Header: id}
	}
	return &Verify{Scheme: scheme, Secrets: []string{"{env.HOOKGATE_TEST_SIGNING}"}}
}

// TestVendorLoads: what is allowed side by side.
func TestVendorLoads(t *testing.T) {
	t.Setenv("HOOKGATE_TEST_SIGNING", "resolved-signing-secret")
	for name, vendor := range map[string]*Vendor{
		"replay alone":                    {Replay: caddy.Duration(time.Minute)}, // a credential may have a proof of its own
		"replay of a constant secret, id": {Replay: caddy.Duration(time.Minute), Verify: []*Verify{constant([]string{"X-Id"})}},
		"signature and verify":            {Signature: &Signature{Header: "X-S", Secrets: []string{"{env.HOOKGATE_TEST_SIGNING}"}}, Verify: []*Verify{constant(nil)}},
		"any of both":                     {Require: "any", AllowIPs: []string{"::1"}, Verify: []*Verify{constant(nil)}},
		"a challenge":                     {Challenge: &proof.Challenge{Kind: "meta", Secret: "{env.HOOKGATE_TEST_SIGNING}"}},
		"a success":                       {Success: &Success{Status: 200, Body: "[accepted]"}},
	} {
		g := vendorGuard("acme", vendor)
		if err := g.addVendors(); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if want := len(vendor.Verify); vendor.Signature != nil && len(g.policy.Vendors["acme"].Proof) != want+1 {
			t.Errorf("%s: %d ways to prove", name, len(g.policy.Vendors["acme"].Proof))
		}
	}
	g := vendorGuard("acme", &Vendor{Verify: []*Verify{{Scheme: &proof.Scheme{
		Signature: proof.Signature{Place: proof.Place{Header: []string{"X-S"}}}, Signed: proof.Templates{"{url}"},
	}, Secrets: []string{"{env.HOOKGATE_TEST_SIGNING}"}}}})
	if err := g.addVendors(); err != nil || g.SignsURL() != "vendor acme" {
		t.Errorf("a signed URL: %q, %v", g.SignsURL(), err)
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
