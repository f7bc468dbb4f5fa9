package guard

import (
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// TestOrderOfChecks starts with a request that is wrong in every way, and mends what is
// refused first, until it passes: the reasons must come as docs/errors.md has them.
func TestOrderOfChecks(t *testing.T) {
	const vendorHook = "/v1/discovery/webhooks/acme/"
	here, elsewhere := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("198.51.100.1")
	key := keyring.Key{ID: webhookID, ExpiresAt: now.UnixMilli(), Identity: &keyring.Identity{
		Tenant: tenant, Kind: credential.KindCallback, Vendor: "belvo", AllowedIPs: tens,
	}}
	r := fullRing()
	r.empty, r.revoked = true, nil
	const token = "of-all-sorts"
	live := func(change func(*keyring.Identity)) {
		identity := *key.Identity
		change(&identity)
		key.Identity = &identity
		r.keys[token] = key
	}
	p := testPolicy(t)
	scoped := mustRoute(t, func(s string) (Route, error) { return APIRoute(s, "orders:write") }, "/orders/*")
	p.Routes = append(p.Routes, scoped)
	req := Request{Method: "GET", Target: "/v1//Discovery/webhooks/acme/" + token, Tokens: []string{"x"}, Posts: true, ContentLength: 1001, Peer: Peer{Client: elsewhere}}
	steps := []struct {
		want Outcome
		mend func()
	}{
		{Ambiguous, func() { req.Target = "/v1/Discovery/webhooks/acme/x" }},
		{Ambiguous, func() { req.Target = "/nowhere" }},
		{NoRoute, func() { req.Target = vendorHook + token }},
		{Ambiguous, func() { req.Tokens = nil }},
		{Method, func() { req.Method = "POST" }},
		{TooLarge, func() { req.ContentLength, req.Target, req.Tokens = 10, callbackPath, nil }},
		{Missing, func() { req.Target = vendorHook + "a!b" }},
		{Malformed, func() { req.Target = vendorHook + token }},
		{Stale, func() { r.empty = false }},
		{Unknown, func() { r.revoked = map[string]uuid.UUID{token: webhookID} }},
		{Revoked, func() { r.revoked = nil; r.keys[token] = key }},
		{WrongKind, func() { live(func(i *keyring.Identity) { i.Kind = credential.KindWebhook }) }},
		{Expired, func() { key.ExpiresAt = 0; live(func(i *keyring.Identity) { i.Disabled = true }) }},
		{Disabled, func() { live(func(i *keyring.Identity) { i.Disabled = false }) }},
		{Vendor, func() { live(func(i *keyring.Identity) { i.Vendor = "acme" }) }},
		{SourceIP, func() { req.Client = here; live(func(i *keyring.Identity) { i.AllowedIPs = nil }) }},
	}
	var got []Outcome
	decide := func() Decision { return p.Decide(&req, r, now) }
	for _, step := range steps {
		d := decide()
		if got = append(got, d.Outcome); d.Outcome != step.want {
			t.Fatalf("after %s: want %s", got, step.want)
		}
		step.mend()
	}
	// An api credential alone has scopes.
	api := fullAPIRing()
	if d := p.Decide(&Request{Method: "POST", Target: "/orders/1", Authorization: []string{partner}}, api, now); d.Outcome != Scope {
		t.Fatalf("%s, want %s", d.Outcome, Scope)
	}
	got = append(got, Scope)
	d := decide()
	if d.Outcome != Allowed {
		t.Fatalf("mended, it is %s", d.Outcome)
	}
	if err := p.Verify(&d, http.Header{}, body{}); err != nil || d.Outcome != BadSignature {
		t.Fatalf("%s, %v", d.Outcome, err)
	}
	got = append(got, d.Outcome)
	d = decide()
	if err := p.Verify(&d, http.Header{"X-Acme-Signature": {sign("secret", "")}}, body{ErrTooLarge}); err != nil || d.Outcome != TooLarge {
		t.Fatalf("%s, %v", d.Outcome, err)
	}
	got = append(got, d.Outcome)

	page, err := os.ReadFile("../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []Outcome
	for _, row := range regexp.MustCompile("(?m)^\\| \\d{3} \\| `(\\w+)` \\|").FindAllStringSubmatch(string(page), -1) {
		documented = append(documented, Outcome(row[1]))
	}
	if !slices.Equal(documented, got) {
		t.Errorf("documented as %s, it is %s", documented, got)
	}
}

// body is one that cannot be read, or is empty.
type body struct{ err error }

func (b body) Hold() ([]byte, error) { return nil, b.err }
func (body) AtHand() bool            { return false }
