package main

import (
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/store"
)

// mostAllocations is how many a decision may make; docs/performance.md says so.
const mostAllocations = 2

// TestDecisionAllocates no more than wanted, whatever it comes to.
func TestDecisionAllocates(t *testing.T) {
	s, err := store.New(store.Config{EmbeddedDir: t.TempDir(), Namespace: "hookgate"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Destruct() })
	now := time.Now() // the keyring is never older than that
	if err := s.Start(store.Tuning{}); err != nil {
		t.Fatal(err)
	}
	for !s.Stats(now).Loaded {
		if time.Since(now) > patience {
			t.Fatalf("the keyring is not loaded in %v", patience)
		}
		runtime.Gosched()
	}
	mint := func(spec credential.Spec) string {
		t.Helper()
		spec.Tenant = uuid.New()
		_, token, err := s.Mint(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	network := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.0/24")}
	callback := mint(credential.Spec{Kind: credential.KindCallback, AllowedIPs: network, ExpiresAt: time.Now().Add(time.Hour)})
	webhook := mint(credential.Spec{Kind: credential.KindWebhook, Vendor: "belvo", Connection: "belvo-main"})
	mint(credential.Spec{Kind: credential.KindAPI, ClientID: "client", SecretHash: sha256.Sum256([]byte("secret")), Scopes: []string{"products:read"}})

	p := guard.Policy{
		Vendors: map[string]*guard.VendorPolicy{"belvo": {AllowIPs: network}},
		MaxBody: 1 << 20, MaxStaleness: time.Minute,
	}
	for _, route := range []func() (guard.Route, error){
		func() (guard.Route, error) { return guard.CallbackRoute("/v1/exceptions/{exceptionId}/callback") },
		func() (guard.Route, error) {
			return guard.WebhookRoute("/v1/discovery/webhooks/{vendor}/{token}")
		},
		func() (guard.Route, error) { return guard.APIRoute("/partners/*", "products:read") },
	} {
		r, err := route()
		if err != nil {
			t.Fatal(err)
		}
		p.Routes = append(p.Routes, r)
	}
	const exception, hooks = "/v1/exceptions/7d4f/callback?a=b", "/v1/discovery/webhooks/belvo/"
	basic := func(pair string) []string {
		return []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(pair))}
	}
	here, elsewhere := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.1")
	for _, c := range []struct {
		name    string
		request guard.Request
		want    guard.Outcome
	}{
		{"callback", guard.Request{Method: "POST", Target: exception, Tokens: []string{callback}, Peer: guard.Peer{Client: here}}, guard.Allowed},
		{"callback from elsewhere", guard.Request{Method: "POST", Target: exception, Tokens: []string{callback}, Peer: guard.Peer{Client: elsewhere}}, guard.SourceIP},
		{"webhook", guard.Request{Method: "POST", Target: hooks + webhook, Peer: guard.Peer{Client: here}}, guard.Allowed},
		{"api", guard.Request{Method: "GET", Target: "/partners/v2/products", Authorization: basic("client:secret"), Peer: guard.Peer{Client: here}}, guard.Allowed},
		{"unknown", guard.Request{Method: "POST", Target: exception, Tokens: []string{peerToken}, Peer: guard.Peer{Client: here}}, guard.Unknown},
		{"unknown api client", guard.Request{Method: "GET", Target: "/partners/v2", Authorization: basic("client:guess"), Peer: guard.Peer{Client: here}}, guard.Unknown},
		{"malformed", guard.Request{Method: "POST", Target: exception, Tokens: []string{"mcb_ "}, Peer: guard.Peer{Client: here}}, guard.Malformed},
		{"missing", guard.Request{Method: "POST", Target: exception, Peer: guard.Peer{Client: here}}, guard.Missing},
		{"no route", guard.Request{Method: "POST", Target: "/v1/exceptions", Peer: guard.Peer{Client: here}}, guard.NoRoute},
		{"ambiguous", guard.Request{Method: "POST", Target: "/v1//exceptions", Peer: guard.Peer{Client: here}}, guard.Ambiguous},
	} {
		t.Run(c.name, func(t *testing.T) {
			ring := s.Keyring()
			if got := p.Decide(&c.request, ring, now).Outcome; got != c.want {
				t.Fatalf("it comes to %s, want %s", got, c.want)
			}
			n := testing.AllocsPerRun(1000, func() { p.Decide(&c.request, ring, now) })
			if n > mostAllocations {
				t.Errorf("%v allocations, want at most %d", n, mostAllocations)
			}
		})
	}
}
