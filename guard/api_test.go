package guard

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

var (
	apiID       = uuid.MustParse("01900000-0000-7000-8000-000000000005")
	narrowID    = uuid.MustParse("01900000-0000-7000-8000-000000000006")
	apiUser     = keyring.Identity{Tenant: tenant, Kind: credential.KindAPI, Label: "Partner", Scopes: []string{"orders:read", "products:read"}}
	narrowUser  = keyring.Identity{Tenant: tenant, Kind: credential.KindAPI, Scopes: []string{"products:read"}, AllowedIPs: tens}
	partner     = basic("partner:secret")
	narrow      = basic("narrow:secret")
	partnerPath = "/partners/v2/products"
)

// apiRing is a keyring that has api credentials too.
type apiRing struct {
	ring
	api map[credential.Digest]keyring.Key
	out map[credential.Digest]uuid.UUID
}

func (r apiRing) Lookup(d credential.Digest) (keyring.Key, keyring.Standing) {
	if key, ok := r.api[d]; ok {
		return key, keyring.Live
	}
	if id, ok := r.out[d]; ok {
		return keyring.Key{ID: id}, keyring.Revoked
	}
	return r.ring.Lookup(d)
}

func fullAPIRing() apiRing {
	return apiRing{
		ring: fullRing(),
		api: map[credential.Digest]keyring.Key{
			apiDigest("partner", "secret"): {ID: apiID, Identity: &apiUser},
			apiDigest("narrow", "secret"):  {ID: narrowID, Identity: &narrowUser},
			apiDigest("expired", "secret"): {ID: apiID, Identity: &apiUser, ExpiresAt: now.UnixMilli()},
			// Nobody can make one of these; were there one, it is no api credential.
			apiDigest("callback", "secret"): {ID: callbackID, Identity: &callbackUser},
		},
		out: map[credential.Digest]uuid.UUID{apiDigest("revoked", "secret"): revokedID},
	}
}

func apiPolicy(t testing.TB) Policy {
	p := testPolicy(t)
	for _, r := range []struct {
		path   string
		scopes []string
	}{
		{"/partners/v2/orders/*", []string{"products:read", "orders:read"}},
		{"/partners/*", []string{"products:read"}},
		{"/ping", nil},
	} {
		route, err := APIRoute(r.path, r.scopes...)
		if err != nil {
			t.Fatal(err)
		}
		p.Routes = append(p.Routes, route)
	}
	return p
}

func TestDecideOnAPIPaths(t *testing.T) {
	auth := func(values ...string) []string { return values }
	ten, eleven := netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("11.1.2.3")
	for _, tc := range []struct {
		name string
		req  Request
		ring func(*apiRing)
		want Outcome
		id   uuid.UUID
	}{
		{name: "live", req: Request{Target: partnerPath, Authorization: auth(partner)}, want: Allowed, id: apiID},
		{name: "DELETE", req: Request{Method: "DELETE", Target: partnerPath, Authorization: auth(partner)}, want: Allowed, id: apiID},
		{name: "HEAD", req: Request{Method: "HEAD", Target: partnerPath, Authorization: auth(partner)}, want: Allowed, id: apiID},
		{name: "any method", req: Request{Method: "PROPFIND", Target: partnerPath, Authorization: auth(partner)}, want: Allowed, id: apiID},
		{name: "CONNECT", req: Request{Method: "CONNECT", Target: partnerPath, Authorization: auth(partner)}, want: Method},
		{name: "TRACE in lower case", req: Request{Method: "trace", Target: partnerPath, Authorization: auth(partner)}, want: Method},
		{name: "a method with a path in it", req: Request{Method: "DELETE /partners/v2/orders/7?x=", Target: partnerPath, Authorization: auth(partner)}, want: Ambiguous},
		{name: "a method with a line break", req: Request{Method: "GET /x HTTP/1.1\r\nX-Tenant-Id: x\r\n\r\nPUT", Target: partnerPath, Authorization: auth(partner)}, want: Ambiguous},
		{name: "a method of its own", req: Request{Method: "PURGE", Target: partnerPath, Authorization: auth(partner)}, want: Allowed, id: apiID},
		{name: "TRACE", req: Request{Method: "TRACE", Target: partnerPath, Authorization: auth(partner)}, want: Method},
		{name: "no rest", req: Request{Target: "/partners/", Authorization: auth(partner)}, want: Allowed, id: apiID},
		{name: "a path without *", req: Request{Target: "/ping?a=b", Authorization: auth(partner)}, want: Allowed, id: apiID},
		{name: "largest body", req: Request{Target: partnerPath, Authorization: auth(partner), ContentLength: 1000}, want: Allowed, id: apiID},

		{name: "the segment before *", req: Request{Target: "/partners", Authorization: auth(partner)}, want: Ambiguous},
		{name: "a longer segment", req: Request{Target: "/partnersx/a", Authorization: auth(partner)}, want: NoRoute},
		{name: "another case", req: Request{Target: "/Partners/a", Authorization: auth(partner)}, want: Ambiguous},
		{name: "below a path without *", req: Request{Target: "/ping/a", Authorization: auth(partner)}, want: NoRoute},
		{name: "no path", req: Request{Target: "*", Method: "OPTIONS", Authorization: auth(partner)}, want: Ambiguous},
		{name: "dot segment in the rest", req: Request{Target: "/partners/../ping", Authorization: auth(partner)}, want: Ambiguous},
		{name: "escape in the rest", req: Request{Target: "/partners/a%2fb", Authorization: auth(partner)}, want: Ambiguous},
		{name: "fragment in the rest", req: Request{Target: "/partners/a#b", Authorization: auth(partner)}, want: Ambiguous},
		{name: "brace in the rest", req: Request{Target: "/partners/{a}", Authorization: auth(partner)}, want: Ambiguous},
		{name: "two Authorization headers", req: Request{Target: partnerPath, Authorization: auth(partner, partner)}, want: Ambiguous},
		{name: "two Authorization headers, one empty", req: Request{Target: partnerPath, Authorization: auth(partner, "")}, want: Ambiguous},
		{name: "token and Authorization", req: Request{Target: partnerPath, Authorization: auth(partner), Tokens: auth(callbackToken)}, want: Ambiguous},
		{name: "too large", req: Request{Target: partnerPath, Authorization: auth(partner), ContentLength: 1001}, want: TooLarge},

		{name: "no Authorization", req: Request{Target: partnerPath}, want: Missing},
		{name: "empty Authorization", req: Request{Target: partnerPath, Authorization: auth("")}, want: Missing},
		{name: "Bearer", req: Request{Target: partnerPath, Authorization: auth("Bearer " + callbackToken)}, want: Malformed},
		{name: "malformed, also when nothing is loaded", req: Request{Target: partnerPath, Authorization: auth("Basic x")}, ring: func(r *apiRing) { r.empty = true }, want: Malformed},
		{name: "callback token", req: Request{Target: partnerPath, Tokens: auth(callbackToken)}, want: WrongKind, id: callbackID},
		{name: "webhook token", req: Request{Target: partnerPath, Tokens: auth(webhookToken)}, want: WrongKind, id: webhookID},
		{name: "unknown token", req: Request{Target: partnerPath, Tokens: auth("nope")}, want: WrongKind},
		{name: "malformed token", req: Request{Target: partnerPath, Tokens: auth("a b")}, want: Malformed},
		{name: "token as the secret", req: Request{Target: partnerPath, Authorization: auth(basic("partner:" + callbackToken))}, want: Unknown},
		{name: "api credential on a callback path", req: Request{Target: callbackPath, Authorization: auth(partner)}, want: WrongKind, id: apiID},
		{name: "api secret in the token header", req: Request{Target: callbackPath, Tokens: auth("secret")}, want: Unknown},
		{name: "Authorization of another scheme on a callback path", req: Request{Target: callbackPath, Authorization: auth("Bearer x")}, want: Missing},
		{name: "Authorization beside a callback token", req: Request{Target: callbackPath, Authorization: auth(partner, partner), Tokens: auth(callbackToken)}, want: Allowed, id: callbackID},
		{name: "Authorization beside a webhook token", req: Request{Target: webhookPath + webhookToken, Authorization: auth(partner)}, want: Allowed, id: webhookID},
		{name: "another kind under an api digest", req: Request{Target: partnerPath, Authorization: auth(basic("callback:secret"))}, want: WrongKind, id: callbackID},

		{name: "not loaded", req: Request{Target: partnerPath, Authorization: auth(partner)}, ring: func(r *apiRing) { r.empty = true }, want: Stale},
		{name: "too old", req: Request{Target: partnerPath, Authorization: auth(partner)}, ring: func(r *apiRing) { r.age = 30*time.Second + 1 }, want: Stale},
		{name: "unknown, not quite fresh", req: Request{Target: partnerPath, Authorization: auth(basic("a:b"))}, ring: func(r *apiRing) { r.age = 2*time.Second + 1 }, want: Stale},
		{name: "unknown, fresh", req: Request{Target: partnerPath, Authorization: auth(basic("a:b"))}, ring: func(r *apiRing) { r.age = 2 * time.Second }, want: Unknown},
		{name: "wrong secret", req: Request{Target: partnerPath, Authorization: auth(basic("partner:Secret"))}, want: Unknown},
		{name: "secret of another client", req: Request{Target: partnerPath, Authorization: auth(basic("client:secret"))}, want: Unknown},
		{name: "revoked", req: Request{Target: partnerPath, Authorization: auth(basic("revoked:secret"))}, want: Revoked, id: revokedID},
		{name: "expired", req: Request{Target: partnerPath, Authorization: auth(basic("expired:secret"))}, want: Expired, id: apiID},

		{name: "from its address", req: Request{Target: partnerPath, Authorization: auth(narrow), Peer: Peer{Client: ten}}, want: Allowed, id: narrowID},
		{name: "from elsewhere", req: Request{Target: partnerPath, Authorization: auth(narrow), Peer: Peer{Client: eleven}}, want: SourceIP, id: narrowID},
		{name: "from elsewhere, fresh", req: Request{Target: partnerPath, Authorization: auth(narrow), Peer: Peer{Client: eleven}}, ring: func(r *apiRing) { r.age = 2 * time.Second }, want: SourceIP, id: narrowID},
		{name: "from elsewhere, not quite fresh", req: Request{Target: partnerPath, Authorization: auth(narrow), Peer: Peer{Client: eleven}}, ring: func(r *apiRing) { r.age = 2*time.Second + 1 }, want: Stale, id: narrowID},
		{name: "all scopes", req: Request{Target: "/partners/v2/orders/7", Authorization: auth(partner)}, want: Allowed, id: apiID},
		{name: "a scope is missing", req: Request{Target: "/partners/v2/orders/7", Authorization: auth(narrow), Peer: Peer{Client: ten}}, want: Scope, id: narrowID},
		{name: "no scope is needed", req: Request{Target: "/ping", Authorization: auth(narrow), Peer: Peer{Client: ten}}, want: Allowed, id: narrowID},
		{name: "address before scope", req: Request{Target: "/partners/v2/orders/7", Authorization: auth(narrow), Peer: Peer{Client: eleven}}, want: SourceIP, id: narrowID},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.req.Method == "" {
				tc.req.Method = "POST"
			}
			r := fullAPIRing()
			if tc.ring != nil {
				tc.ring(&r)
			}
			p := apiPolicy(t)
			d := p.Decide(&tc.req, r, now)
			if d.Outcome != tc.want || d.Credential != tc.id {
				t.Fatalf("%s for %s, want %s for %s", d.Outcome, d.Credential, tc.want, tc.id)
			}
			if (d.Identity != nil) != (d.Outcome == Allowed) {
				t.Error("a refused request has an identity, or an allowed one has none")
			}
			if (d.RetryAfter > 0) != (d.Outcome == Stale) || (d.Allow != "") != (d.Outcome == Method) {
				t.Errorf("Retry-After %s, Allow %q", d.RetryAfter, d.Allow)
			}
			if d.Kind != credential.KindAPI || d.Outcome != Allowed {
				return
			}
			f, err := p.Forwarding(&d, now)
			if path, _ := splitTarget(tc.req.Target); err != nil || f.Path != path || f.RawPath != path {
				t.Errorf("forwarded to %+v, %v", f, err)
			}
		})
	}
}

func TestAPIRoutes(t *testing.T) {
	for _, template := range []string{"/*", "/a", "/a/b", "/a/*", "/a/b/*", "/.well-known/*", "/a@b:c/*"} {
		if _, err := APIRoute(template, "a", "b:read"); err != nil {
			t.Errorf("%s: %v", template, err)
		}
	}
	for _, template := range []string{
		"", "*", "/", "/a/", "a/*", "/a*", "/*/a", "/*/*", "/a/*b", "/a/**", "/{x}", "/a/{exceptionId}", "/a?b", "/a#b", "/%61/*", "/a//*", "/../*", "/a/./*", "/ä/*",
	} {
		if _, err := APIRoute(template); err == nil {
			t.Errorf("%q was accepted", template)
		}
	}
	for _, scopes := range [][]string{{""}, {"a b"}, {`a"`}, {"a\\"}, {"a", "a"}, {strings.Repeat("a", 65)}, make([]string, 65)} {
		if _, err := APIRoute("/a", scopes...); err == nil {
			t.Errorf("%q was accepted", scopes)
		}
	}
}

func TestCovers(t *testing.T) {
	api := func(template string) Route {
		return mustRoute(t, func(s string) (Route, error) { return APIRoute(s) }, template)
	}
	for _, tc := range []struct {
		before, behind string
		want           bool
	}{
		{"/a", "/a", true},
		{"/a", "/b", false},
		{"/a/*", "/a/*", true},
		{"/a/*", "/a/b", true},
		{"/a/*", "/a/b/*", true},
		{"/*", "/a", true},
		{"/*", "/a/*", true},
		{"/a/*", "/a", false},
		{"/a/*", "/ab/*", false},
		{"/a/b/*", "/a/*", false},
		{"/a/b", "/a/*", false},
		{"/a/*", "/*", false},
	} {
		before, behind := api(tc.before), api(tc.behind)
		if before.Covers(&behind) != tc.want {
			t.Errorf("%s covers %s: want %v", tc.before, tc.behind, tc.want)
		}
	}
	callback := mustRoute(t, CallbackRoute, "/v1/exceptions/{exceptionId}/callback")
	for template, want := range map[string]bool{"/v1/exceptions/7d4f/callback": true, "/v1/exceptions/*": false, "/v1/exceptions/7d4f/*": false} {
		if route := api(template); callback.Covers(&route) != want {
			t.Errorf("the callback path covers %s: want %v", template, want)
		}
	}
}

// FuzzDecideOnAPIPaths checks that nothing is let through below an api path but a
// live api credential, with its scopes, on a path that can be read in one way only.
func FuzzDecideOnAPIPaths(f *testing.F) {
	f.Add("GET", partnerPath, partner, "")
	f.Add("POST", "/partners/v2/orders/1?q", narrow, "")
	f.Add("PUT", "/partners/../ping", partner, callbackToken)
	f.Add("CONNECT", "/ping", partner, "")
	p := apiPolicy(f)
	f.Fuzz(func(t *testing.T, method, target, authorization, token string) {
		req := Request{Method: method, Target: target, Peer: Peer{Client: netip.MustParseAddr("10.0.0.1")}}
		if authorization != "" {
			req.Authorization = []string{authorization}
		}
		if token != "" {
			req.Tokens = []string{token}
		}
		d := p.Decide(&req, fullAPIRing(), now)
		if d.Kind != credential.KindAPI || d.Outcome != Allowed {
			return
		}
		path, _ := splitTarget(target)
		orders := strings.HasPrefix(path, "/partners/v2/orders/")
		digest, _ := parseBasic(authorization)
		switch {
		case token != "", strings.EqualFold(method, "CONNECT"), strings.EqualFold(method, "TRACE"), strings.ContainsAny(method, " \t\r\n/:"), method == "", d.path != path, !canonicalPath(path), strings.ContainsAny(path, "#{}\""):
		case path != "/ping" && !strings.HasPrefix(path, "/partners/"):
		case digest == apiDigest("partner", "secret"), digest == apiDigest("narrow", "secret") && !orders:
			return
		}
		t.Fatalf("%s %s with %q and %q", method, target, authorization, token)
	})
}
