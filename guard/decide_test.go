package guard

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/proof"
)

const (
	callbackToken = "mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk"
	webhookToken  = "mwh_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4My3Df"
	foreignToken  = "minted.elsewhere-1"
	boundToken    = "works-from-10"
	boundHook     = "works-from-10-on-belvo"
	signedHook    = "of-acme"

	callbackPath = "/v1/exceptions/7d4f/callback"
	webhookPath  = "/v1/discovery/webhooks/pluggy/"
)

var (
	now          = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tenant       = uuid.MustParse("11111111-1111-1111-1111-111111111111")
	callbackID   = uuid.MustParse("01900000-0000-7000-8000-000000000001")
	webhookID    = uuid.MustParse("01900000-0000-7000-8000-000000000002")
	revokedID    = uuid.MustParse("01900000-0000-7000-8000-000000000003")
	boundID      = uuid.MustParse("01900000-0000-7000-8000-000000000004")
	callbackUser = keyring.Identity{Tenant: tenant, Kind: credential.KindCallback, Label: "JIRA"}
	webhookUser  = keyring.Identity{Tenant: tenant, Kind: credential.KindWebhook, Vendor: "pluggy", Connection: "main"}

	tens          = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	boundUser     = keyring.Identity{Tenant: tenant, Kind: credential.KindCallback, AllowedIPs: tens}
	boundHookUser = keyring.Identity{Tenant: tenant, Kind: credential.KindWebhook, Vendor: "belvo", Connection: "main", AllowedIPs: tens}
	signedUser    = keyring.Identity{Tenant: tenant, Kind: credential.KindWebhook, Vendor: "acme", Connection: "main"}
)

// ring is a keyring with fixed contents.
type ring struct {
	keys    map[string]keyring.Key // by token
	revoked map[string]uuid.UUID
	age     time.Duration
	empty   bool
	offset  time.Duration // of the server's clock
}

func (r ring) Lookup(d credential.Digest) (keyring.Key, keyring.Standing) {
	for token, key := range r.keys {
		if credential.DigestToken(token) == d {
			return key, keyring.Live
		}
	}
	for token, id := range r.revoked {
		if credential.DigestToken(token) == d {
			return keyring.Key{ID: id}, keyring.Revoked
		}
	}
	return keyring.Key{}, keyring.Unknown
}

func (r ring) Age(time.Time) (time.Duration, bool)  { return r.age, !r.empty }
func (r ring) ServerTime(local time.Time) time.Time { return local.Add(r.offset) }

func fullRing() ring {
	return ring{
		keys: map[string]keyring.Key{
			callbackToken: {ID: callbackID, Identity: &callbackUser},
			webhookToken:  {ID: webhookID, Identity: &webhookUser},
			foreignToken:  {ID: callbackID, Identity: &callbackUser},
			boundToken:    {ID: boundID, Identity: &boundUser},
			boundHook:     {ID: boundID, Identity: &boundHookUser},
			signedHook:    {ID: webhookID, Identity: &signedUser},
		},
		revoked: map[string]uuid.UUID{"revoked-token": revokedID},
	}
}

func testPolicy(t testing.TB) Policy {
	return Policy{
		Routes: []Route{
			mustRoute(t, CallbackRoute, "/v1/exceptions/{exceptionId}/callback"),
			mustRoute(t, WebhookRoute, "/v1/discovery/webhooks/{vendor}/{token}"),
		},
		Vendors: map[string]*VendorPolicy{
			"belvo": {AllowIPs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("2001:db8::/32")}},
			"acme":  {AllowIPs: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")}, Proof: verifying(t, proof.Scheme{Signature: header("X-Acme-Signature")}, "secret")},
		},
		MaxBody:      1000,
		MaxStaleness: 30 * time.Second,
	}
}

func TestDecide(t *testing.T) {
	header := func(tokens ...string) []string { return tokens }
	expiring := func(at time.Time) ring {
		r := fullRing()
		r.keys[callbackToken] = keyring.Key{ID: callbackID, ExpiresAt: at.UnixMilli(), Identity: &callbackUser}
		return r
	}
	from := netip.MustParseAddr
	belvo, acme := "/v1/discovery/webhooks/belvo/"+boundHook, "/v1/discovery/webhooks/acme/"+signedHook
	for _, tc := range []struct {
		name string
		req  Request
		ring func(*ring)
		want Outcome
		id   uuid.UUID
	}{
		{name: "callback", req: Request{Target: callbackPath, Tokens: header(callbackToken)}, want: Allowed, id: callbackID},
		{name: "webhook", req: Request{Target: webhookPath + webhookToken}, want: Allowed, id: webhookID},
		{name: "token of another minter", req: Request{Target: callbackPath, Tokens: header(foreignToken)}, want: Allowed, id: callbackID},
		{name: "the query decides nothing", req: Request{Target: callbackPath + "?a=%2f//..;", Tokens: header(callbackToken)}, want: Allowed, id: callbackID},
		{name: "GET probe", req: Request{Method: "GET", Target: webhookPath + webhookToken}, want: Probe, id: webhookID},
		{name: "HEAD probe", req: Request{Method: "HEAD", Target: webhookPath + webhookToken}, want: Probe, id: webhookID},
		{name: "redirected POST", req: Request{Method: "GET", Target: webhookPath + webhookToken, Posts: true}, want: Method},
		{name: "redirected POST as HEAD", req: Request{Method: "HEAD", Target: webhookPath + "nope", Posts: true}, want: Method},
		{name: "probe with a wrong token", req: Request{Method: "GET", Target: webhookPath + "nope"}, want: Unknown},
		{name: "largest body", req: Request{Target: callbackPath, Tokens: header(callbackToken), ContentLength: 1000}, want: Allowed, id: callbackID},
		{name: "body of unknown length", req: Request{Target: callbackPath, Tokens: header(callbackToken), ContentLength: -1}, want: Allowed, id: callbackID},

		{name: "escape in the path", req: Request{Target: "/v1/exceptions/%37d4f/callback", Tokens: header(callbackToken)}, want: Ambiguous},
		{name: "absolute form", req: Request{Target: "http://matcher" + callbackPath, Tokens: header(callbackToken)}, want: Ambiguous},
		{name: "asterisk form", req: Request{Method: "OPTIONS", Target: "*"}, want: Ambiguous},
		{name: "authority form", req: Request{Method: "CONNECT", Target: "matcher:4018"}, want: Ambiguous},
		{name: "two token headers", req: Request{Target: callbackPath, Tokens: header(callbackToken, callbackToken)}, want: Ambiguous},
		{name: "two token headers, one empty", req: Request{Target: callbackPath, Tokens: header("", callbackToken)}, want: Ambiguous},
		{name: "two token headers on no route", req: Request{Target: "/", Tokens: header("a", "b")}, want: Ambiguous},
		{name: "header and path token", req: Request{Target: webhookPath + webhookToken, Tokens: header(callbackToken)}, want: Ambiguous},
		{name: "header and path token, wrong method", req: Request{Method: "PUT", Target: webhookPath + webhookToken, Tokens: header("x")}, want: Ambiguous},

		{name: "no route", req: Request{Target: "/v1/exceptions", Tokens: header(callbackToken)}, want: NoRoute},
		{name: "root", req: Request{Target: "/"}, want: NoRoute},
		{name: "the admin's path", req: Request{Target: "/v1/discovery/webhooks/tokens"}, want: NoRoute},
		{name: "tokens is no vendor", req: Request{Target: "/v1/discovery/webhooks/tokens/" + webhookToken}, want: NoRoute},
		{name: "method before token", req: Request{Method: "GET", Target: callbackPath}, want: Method},
		{name: "lower-case method", req: Request{Method: "post", Target: callbackPath}, want: Method},
		{name: "method on a webhook", req: Request{Method: "DELETE", Target: webhookPath + webhookToken}, want: Method},
		{name: "too large before token", req: Request{Target: callbackPath, ContentLength: 1001}, want: TooLarge},

		{name: "no token", req: Request{Target: callbackPath}, want: Missing},
		{name: "empty token", req: Request{Target: callbackPath, Tokens: header("")}, want: Missing},
		{name: "wrong checksum", req: Request{Target: callbackPath, Tokens: header(callbackToken[:52] + "l")}, want: Malformed},
		{name: "malformed, also when nothing is loaded", req: Request{Target: callbackPath, Tokens: header("a b")}, ring: func(r *ring) { r.empty = true }, want: Malformed},
		{name: "two tokens in one value", req: Request{Target: callbackPath, Tokens: header(callbackToken + ", " + callbackToken)}, want: Malformed},
		{name: "long token", req: Request{Target: callbackPath, Tokens: header(strings.Repeat("a", 513))}, want: Malformed},
		{name: "malformed token in the path", req: Request{Target: webhookPath + "a!b"}, want: Malformed},

		{name: "not loaded", req: Request{Target: callbackPath, Tokens: header(callbackToken)}, ring: func(r *ring) { r.empty = true }, want: Stale},
		{name: "too old", req: Request{Target: callbackPath, Tokens: header(callbackToken)}, ring: func(r *ring) { r.age = 30*time.Second + 1 }, want: Stale},
		{name: "old enough to serve", req: Request{Target: callbackPath, Tokens: header(callbackToken)}, ring: func(r *ring) { r.age = 30 * time.Second }, want: Allowed, id: callbackID},
		{name: "unknown, not quite fresh", req: Request{Target: callbackPath, Tokens: header("nope")}, ring: func(r *ring) { r.age = 2*time.Second + 1 }, want: Stale},
		{name: "unknown, fresh", req: Request{Target: callbackPath, Tokens: header("nope")}, ring: func(r *ring) { r.age = 2 * time.Second }, want: Unknown},
		{name: "revoked", req: Request{Target: callbackPath, Tokens: header("revoked-token")}, want: Revoked, id: revokedID},
		{name: "revoked is known without freshness", req: Request{Target: callbackPath, Tokens: header("revoked-token")}, ring: func(r *ring) { r.age = 10 * time.Second }, want: Revoked, id: revokedID},
		{name: "webhook token in the header", req: Request{Target: callbackPath, Tokens: header(webhookToken)}, want: WrongKind, id: webhookID},
		{name: "callback token in the path", req: Request{Target: webhookPath + callbackToken}, want: WrongKind, id: callbackID},
		{name: "token of another vendor", req: Request{Target: "/v1/discovery/webhooks/belvo/" + webhookToken}, want: Vendor, id: webhookID},
		{name: "expired this moment", req: Request{Target: callbackPath, Tokens: header(callbackToken)}, ring: func(r *ring) { *r = expiring(now) }, want: Expired, id: callbackID},
		{name: "expired, not quite fresh", req: Request{Target: callbackPath, Tokens: header(callbackToken)}, ring: func(r *ring) { *r = expiring(now); r.age = 2*time.Second + 1 }, want: Stale, id: callbackID},
		{name: "space in the query", req: Request{Target: callbackPath + "?a HTTP/1.0", Tokens: header(callbackToken)}, want: Ambiguous},
		{name: "line break in the query", req: Request{Target: callbackPath + "?a\r\nb", Tokens: header(callbackToken)}, want: Ambiguous},
		{name: "expires in a millisecond", req: Request{Target: callbackPath, Tokens: header(callbackToken)}, ring: func(r *ring) { *r = expiring(now.Add(time.Millisecond)) }, want: Allowed, id: callbackID},

		{name: "bound, from its address", req: Request{Target: callbackPath, Tokens: header(boundToken), Peer: Peer{Client: from("10.255.0.1")}}, want: Allowed, id: boundID},
		{name: "bound, from elsewhere", req: Request{Target: callbackPath, Tokens: header(boundToken), Peer: Peer{Client: from("11.0.0.1")}}, want: SourceIP, id: boundID},
		{name: "bound, from nowhere", req: Request{Target: callbackPath, Tokens: header(boundToken)}, want: SourceIP, id: boundID},
		{name: "bound, from an IPv6 address", req: Request{Target: callbackPath, Tokens: header(boundToken), Peer: Peer{Client: from("a00::1")}}, want: SourceIP, id: boundID},
		{name: "not bound, from nowhere", req: Request{Target: callbackPath, Tokens: header(callbackToken)}, want: Allowed, id: callbackID},
		{name: "wrong kind, from elsewhere", req: Request{Target: webhookPath + boundToken, Peer: Peer{Client: from("11.0.0.1")}}, want: WrongKind, id: boundID},
		{name: "both lists", req: Request{Target: belvo, Peer: Peer{Client: from("10.1.2.3")}}, want: Allowed, id: boundID},
		{name: "on the credential's list only", req: Request{Target: belvo, Peer: Peer{Client: from("10.2.2.3")}}, want: SourceIP, id: boundID},
		{name: "on the vendor's list only", req: Request{Target: belvo, Peer: Peer{Client: from("2001:db8::1")}}, want: SourceIP, id: boundID},
		{name: "probe from its address", req: Request{Method: "GET", Target: belvo, Peer: Peer{Client: from("10.1.2.3")}}, want: Probe, id: boundID},
		{name: "probe from elsewhere", req: Request{Method: "GET", Target: belvo, Peer: Peer{Client: from("10.2.2.3")}}, want: SourceIP, id: boundID},
		{name: "too large, from elsewhere", req: Request{Target: belvo, Peer: Peer{Client: from("11.0.0.1")}, ContentLength: 1001}, want: TooLarge},
		{name: "signed vendor", req: Request{Target: acme, Peer: Peer{Client: from("192.0.2.7")}}, want: Allowed, id: webhookID},
		{name: "signed vendor, from elsewhere", req: Request{Target: acme, Peer: Peer{Client: from("192.0.2.8")}}, want: SourceIP, id: webhookID},
		{name: "probe by a signed vendor", req: Request{Method: "HEAD", Target: acme, Peer: Peer{Client: from("192.0.2.7")}}, want: Probe, id: webhookID},

		{name: "expiry is by the server's clock", req: Request{Target: callbackPath, Tokens: header(callbackToken)}, ring: func(r *ring) { *r = expiring(now.Add(time.Minute)); r.offset = time.Hour }, want: Expired, id: callbackID},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.req.Method == "" {
				tc.req.Method = "POST"
			}
			r := fullRing()
			if tc.ring != nil {
				tc.ring(&r)
			}
			p := testPolicy(t)
			d := p.Decide(&tc.req, r, now)
			if d.Outcome != tc.want || d.Credential != tc.id {
				t.Fatalf("%s for %s, want %s for %s", d.Outcome, d.Credential, tc.want, tc.id)
			}
			if (d.Identity != nil) != (d.Outcome == Allowed || d.Outcome == Probe) {
				t.Error("a refused request has an identity, or an allowed one has none")
			}
			if allowed := d.Outcome == Allowed || d.Outcome == Probe; (d.proofs != nil) != (allowed && strings.Contains(tc.req.Target, "/acme/")) {
				t.Errorf("to prove: %v", d.proofs)
			}
			if (d.RetryAfter > 0) != (d.Outcome == Stale) || (d.Allow != "") != (d.Outcome == Method) {
				t.Errorf("Retry-After %s, Allow %q", d.RetryAfter, d.Allow)
			}
		})
	}
}

// TestRecheck: while a body arrives, an operator may have changed all that the decision
// was made on, and what the upstream is told is as it is then.
func TestRecheck(t *testing.T) {
	client := netip.MustParseAddr("10.0.0.1")
	for name, tc := range map[string]struct {
		change func(*ring)
		want   Outcome
	}{
		"nothing": {func(*ring) {}, Allowed},
		"revoked": {func(r *ring) { delete(r.keys, boundToken); r.revoked[boundToken] = boundID }, Revoked},
		"expired": {func(r *ring) {
			r.keys[boundToken] = keyring.Key{ID: boundID, Identity: &boundUser, ExpiresAt: now.UnixMilli()}
		}, Expired},
		"disabled": {func(r *ring) {
			paused := boundUser
			paused.Disabled = true
			r.keys[boundToken] = keyring.Key{ID: boundID, Identity: &paused}
		}, Disabled},
		"bound to elsewhere":   {func(r *ring) { r.keys[boundToken] = keyring.Key{ID: boundID, Identity: boundTo("192.0.2.0/24")} }, SourceIP},
		"no longer up to date": {func(r *ring) { r.age = time.Minute }, Stale},
	} {
		p, r := testPolicy(t), fullRing()
		d := p.Decide(&Request{Method: "POST", Target: callbackPath, Tokens: []string{boundToken}, Peer: Peer{Client: client}}, r, now)
		if d.Outcome != Allowed {
			t.Fatal(d.Outcome)
		}
		tc.change(&r)
		if p.Recheck(&d, r, now); d.Outcome != tc.want || (d.Identity != nil) != (tc.want == Allowed) {
			t.Errorf("%s: %s, want %s", name, d.Outcome, tc.want)
		}
	}

	p, r := apiPolicy(t), fullAPIRing()
	d := p.Decide(&Request{Method: "POST", Target: "/partners/v2/orders/7", Authorization: []string{partner}}, r, now)
	r.api[apiDigest("partner", "secret")] = keyring.Key{ID: apiID, Identity: &keyring.Identity{Tenant: tenant, Kind: credential.KindAPI}}
	if p.Recheck(&d, r, now); d.Outcome != Scope {
		t.Errorf("a scope was taken away: %s", d.Outcome)
	}

	p, named := testPolicy(t), fullRing()
	d = p.Decide(&Request{Method: "POST", Target: callbackPath, Tokens: []string{callbackToken}}, named, now)
	named.keys[callbackToken] = keyring.Key{ID: callbackID, Identity: &keyring.Identity{Tenant: tenant, Kind: credential.KindCallback, Label: "renamed"}}
	p.Recheck(&d, named, now)
	f, err := p.Forwarding(&d, now)
	if err != nil {
		t.Fatal(err)
	}
	header := make(map[string][]string)
	f.Apply(header)
	if got := header[HeaderExternalSystem]; len(got) != 1 || got[0] != "renamed" {
		t.Errorf("the upstream is told of %q", got)
	}
}

func boundTo(prefix string) *keyring.Identity {
	return &keyring.Identity{Tenant: tenant, Kind: credential.KindCallback, AllowedIPs: []netip.Prefix{netip.MustParsePrefix(prefix)}}
}

func TestForwardedPathHoldsNoToken(t *testing.T) {
	p := testPolicy(t)
	if got, want := forwarded(t, &p, &Request{Method: "POST", Target: webhookPath + webhookToken + "?a=b"}), webhookPath+webhookID.String(); got != want {
		t.Errorf("webhook forwarded to %q, want %q", got, want)
	}
	if got := forwarded(t, &p, &Request{Method: "POST", Target: callbackPath, Tokens: []string{callbackToken}}); got != callbackPath {
		t.Errorf("callback forwarded to %q", got)
	}
}

// forwarded returns the path under which the upstream gets a request that is allowed.
func forwarded(t testing.TB, p *Policy, req *Request) string {
	t.Helper()
	d := p.Decide(req, fullRing(), now)
	if d.Outcome != Allowed {
		t.Fatalf("%s is %s", req.Target, d.Outcome)
	}
	f, err := p.Forwarding(&d, now)
	if err != nil {
		t.Fatal(err)
	}
	return f.Path
}

// FuzzDecide checks that nothing is allowed but what the table above says: a live
// token at its own place, on its own path.
func FuzzDecide(f *testing.F) {
	f.Add("POST", callbackPath, callbackToken, true, int64(0))
	f.Add("POST", webhookPath+webhookToken, "", false, int64(10))
	f.Add("GET", webhookPath+webhookToken+"?q", "", false, int64(0))
	f.Add("GET", webhookPath+webhookToken, "", true, int64(0))
	f.Add("POST", "/v1/exceptions/../exceptions/x/callback", callbackToken, true, int64(-1))
	p := testPolicy(f)
	f.Fuzz(func(t *testing.T, method, target, token string, posts bool, length int64) {
		req := Request{Method: method, Target: target, Posts: posts, ContentLength: length}
		if token != "" {
			req.Tokens = []string{token}
		}
		d := p.Decide(&req, fullRing(), now)
		if d.Outcome != Allowed && d.Outcome != Probe {
			return
		}
		path, _ := splitTarget(target)
		webhook := path == webhookPath+webhookToken && token == ""
		exception, isCallback := strings.CutPrefix(path, "/v1/exceptions/")
		exception, hasSuffix := strings.CutSuffix(exception, "/callback")
		callback := isCallback && hasSuffix && validExceptionID(exception) && (token == callbackToken || token == foreignToken)
		if d.Outcome == Probe && posts || length > 1000 || !webhook && (!callback || method != "POST") || d.Outcome == Allowed && strings.Contains(forwarded(t, &p, &req), webhookToken) {
			t.Fatalf("%s %s with %q: %s", method, target, token, d.Outcome)
		}
	})
}
