package guard

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

func TestUpstreamTemplates(t *testing.T) {
	callback := mustRoute(t, CallbackRoute, "/v1/exceptions/{exceptionId}/callback")
	webhook := mustRoute(t, WebhookRoute, "/v1/discovery/webhooks/{vendor}/{token}")
	for _, tc := range []struct {
		name     string
		route    Route
		template string
		forward  bool
		ok       bool
	}{
		{"callback", callback, "/in/{exceptionId}/{credentialId}", false, true},
		{"literal", callback, "/hooks/jira:import", false, true},
		{"root", callback, "/", false, true},
		{"trailing slash", webhook, "/in/{vendor}/", false, true},
		{"webhook", webhook, "/{vendor}/{connection}/{credentialId}", false, true},
		{"twice", webhook, "/{vendor}/{vendor}", false, true},
		{"token", webhook, "/{vendor}/{token}", true, true},

		{"token that is not forwarded", webhook, "/{vendor}/{token}", false, false},
		{"token of a callback", callback, "/{token}", true, false},
		{"exception of a webhook", webhook, "/{exceptionId}", true, false},
		{"vendor of a callback", callback, "/{vendor}", true, false},
		{"connection of a callback", callback, "/{connection}", true, false},
		{"unknown", webhook, "/{tenant}", true, false},
		{"case", webhook, "/{Vendor}", true, false},
		{"Caddy's", webhook, "/{http.request.uri}", true, false},
		{"part of a segment", webhook, "/x-{vendor}", true, false},
		{"two in a segment", webhook, "/{vendor}{connection}", true, false},
		{"unclosed", webhook, "/{vendor", true, false},
		{"empty", webhook, "", true, false},
		{"relative", webhook, "in/{vendor}", true, false},
		{"URL", webhook, "http://matcher/{vendor}", true, false},
		{"double slash", webhook, "//{vendor}", true, false},
		{"dot segment", webhook, "/../{vendor}", true, false},
		{"dot segment at the end", webhook, "/{vendor}/..", true, false},
		{"escape", webhook, "/%2e%2e/{vendor}", true, false},
		{"parameter", webhook, "/a;b/{vendor}", true, false},
		{"backslash", webhook, `/a\b/{vendor}`, true, false},
		{"query", webhook, "/{vendor}?a=b", true, false},
		{"query in a literal", webhook, "/in?a=b", true, false},
		{"fragment", webhook, "/in#a", true, false},
		{"quote", webhook, `/"`, true, false},
		{"space", webhook, "/a b", true, false},
		{"beyond ASCII", webhook, "/é", true, false},
	} {
		if _, err := tc.route.To(tc.template, tc.forward); (err == nil) != tc.ok {
			t.Errorf("%s: %s: %v", tc.name, tc.template, err)
		}
	}
}

// upstreamPath returns where a request with one of the tokens of fullRing goes.
func upstreamPath(t testing.TB, template string, forward bool, connection string) (decoded, raw string) {
	t.Helper()
	target, build := webhookPath+webhookToken, WebhookRoute
	configured := "/v1/discovery/webhooks/{vendor}/{token}"
	req := Request{Method: "POST"}
	if connection == "" {
		target, build, configured = callbackPath, CallbackRoute, "/v1/exceptions/{exceptionId}/callback"
		req.Tokens = []string{callbackToken}
	}
	route := mustRoute(t, build, configured)
	if template != "" {
		var err error
		if route, err = route.To(template, forward); err != nil {
			t.Fatal(err)
		}
	}
	ring := fullRing()
	ring.keys[webhookToken] = keyring.Key{ID: webhookID, Identity: &keyring.Identity{
		Tenant: tenant, Kind: credential.KindWebhook, Vendor: "pluggy", Connection: connection,
	}}
	p := Policy{Routes: []Route{route}, MaxBody: 1000, MaxStaleness: now.Sub(now.Add(-1)), ForwardToken: forward}
	req.Target = target + "?%2F../"
	d := p.Decide(&req, ring, now)
	if d.Outcome != Allowed {
		t.Fatalf("%s", d.Outcome)
	}
	f, err := p.Forwarding(&d, now)
	if err != nil {
		return "", ""
	}
	return f.Path, f.RawPath
}

func TestUpstreamPath(t *testing.T) {
	for _, tc := range []struct {
		template   string
		forward    bool
		connection string
		want, raw  string
	}{
		{"", false, "", callbackPath, callbackPath},
		{"/in/{exceptionId}/{credentialId}", false, "", "/in/7d4f/" + callbackID.String(), "/in/7d4f/" + callbackID.String()},
		{"", false, "main", webhookPath + webhookID.String(), webhookPath + webhookID.String()},
		{"", true, "main", webhookPath + webhookToken, webhookPath + webhookToken},
		{"/a/{token}/{vendor}", true, "main", "/a/" + webhookToken + "/pluggy", "/a/" + webhookToken + "/pluggy"},
		{"/{vendor}/{connection}/x/", false, "main", "/pluggy/main/x/", "/pluggy/main/x/"},
		{"/{connection}", false, "Conta São Paulo (1)", "/Conta São Paulo (1)", "/Conta%20S%C3%A3o%20Paulo%20(1)"},
		{"/{connection}", false, "..", "", ""},
		{"/{connection}", false, "a/../b", "", ""},
		{"/{vendor}", false, "..", "/pluggy", "/pluggy"}, // it is not in the path
	} {
		decoded, raw := upstreamPath(t, tc.template, tc.forward, tc.connection)
		if decoded != tc.want || raw != tc.raw {
			t.Errorf("%q with %q: %q, sent as %q", tc.template, tc.connection, decoded, raw)
		}
	}
}

func TestPathSegment(t *testing.T) {
	for text, want := range map[string]string{
		"main": "main", "a.b-c_d~e": "a.b-c_d~e", "a..b": "a..b", "a b": "a%20b", "a+b@c:d": "a+b@c:d", `"<a>"`: "%22%3Ca%3E%22",
		"ação": "a%C3%A7%C3%A3o", "日本": "%E6%97%A5%E6%9C%AC", "e\u0301": "e%CC%81", "_": "_",
	} {
		if got, err := PathSegment(text); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", ".", "..", "...", ".a", "a.", " a", "a ", "a/b", `a\b`, "a%2Fb", "a%b", "a;b", "a?b", "a#b", "a\x00b", "a\nb", "a\x7fb", "\xff", "a\u0085b",
		"a\u2028b", "\uff0e\uff0e", "a\uff0fb", "a\u2215b", "\u2024\u2024", "a\u200bb",
	} {
		if got, err := PathSegment(text); err == nil {
			t.Errorf("%q is a segment: %q", text, got)
		}
	}
}

// FuzzUpstreamPath: whatever a connection is called and whatever template was
// accepted, the path has one reading, and as many segments as its template.
func FuzzUpstreamPath(f *testing.F) {
	f.Add("/in/{vendor}/{connection}", "main", true)
	f.Add("/{connection}/{token}", "..", true)
	f.Add("/a/{connection}/../{connection}", "a/b%2F", false)
	f.Add("/{credentialId}/", "%2e%2e", false)
	f.Fuzz(func(t *testing.T, template, connection string, forward bool) {
		webhook := mustRoute(t, WebhookRoute, "/v1/discovery/webhooks/{vendor}/{token}")
		if _, err := webhook.To(template, forward); err != nil || connection == "" {
			return
		}
		decoded, raw := upstreamPath(t, template, forward, connection)
		if decoded == "" {
			if raw != "" || !strings.Contains(template, placeholderConnection) {
				t.Fatalf("%q with %q: no path, sent as %q", template, connection, raw)
			}
			return
		}
		back, err := url.PathUnescape(raw)
		if err != nil || back != decoded {
			t.Fatalf("%q is sent as %q, which reads %q, %v", decoded, raw, back, err)
		}
		u := url.URL{Path: decoded, RawPath: raw}
		if u.EscapedPath() != raw {
			t.Fatalf("net/url sends %q as %q", raw, u.EscapedPath())
		}
		for _, p := range []string{decoded, raw, strings.ToLower(raw)} {
			if strings.Count(p, "/") != strings.Count(template, "/") || strings.TrimSuffix(path.Clean(p), "/") != strings.TrimSuffix(p, "/") {
				t.Fatalf("%q with %q: %q", template, connection, p)
			}
			if strings.ContainsAny(p, `\;?#`) || strings.Contains(p, "%2f") || strings.Contains(p, "%5c") || strings.Contains(p, "%25") || strings.Contains(p, "%2e") {
				t.Fatalf("%q with %q: %q", template, connection, p)
			}
		}
		if !forward && strings.Contains(raw, webhookToken) {
			t.Fatalf("the token is in %q", raw)
		}
	})
}
