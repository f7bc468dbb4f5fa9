package guard

import (
	"strings"
	"testing"
)

func mustRoute(t testing.TB, compile func(string) (Route, error), template string) Route {
	t.Helper()
	r, err := compile(template)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRouteMatchesItsShapeOnly(t *testing.T) {
	callback := mustRoute(t, CallbackRoute, "/v1/exceptions/{exceptionId}/callback")
	webhook := mustRoute(t, WebhookRoute, "/v1/discovery/webhooks/{vendor}/{token}")
	for _, tc := range []struct {
		path              string
		callback, webhook bool
	}{
		{"/v1/exceptions/7d4f/callback", true, false},
		{"/v1/exceptions/A_b-9/callback", true, false},
		{"/v1/exceptions/" + strings.Repeat("x", 128) + "/callback", true, false},
		{"/v1/exceptions/" + strings.Repeat("x", 129) + "/callback", false, false},
		{"/v1/exceptions/a.b/callback", false, false},
		{"/v1/exceptions//callback", false, false},
		{"/v1/exceptions/7d4f/callback/", false, false},
		{"/v1/exceptions/7d4f/callback/x", false, false},
		{"/v1/exceptions/7d4f/Callback", false, false},
		{"/V1/exceptions/7d4f/callback", false, false},
		{"/v1/exceptions/7d4f", false, false},
		{"/v1/exceptions/7d4f/", false, false},
		{"/v1/exceptions", false, false},
		{"/", false, false},
		{"/v1/discovery/webhooks/pluggy/abc", false, true},
		{"/v1/discovery/webhooks/acme-2/abc", false, true},
		{"/v1/discovery/webhooks/" + strings.Repeat("a", 32) + "/abc", false, true},
		{"/v1/discovery/webhooks/" + strings.Repeat("a", 33) + "/abc", false, false},
		{"/v1/discovery/webhooks/Pluggy/abc", false, false},
		{"/v1/discovery/webhooks/pluggy", false, false},
		{"/v1/discovery/webhooks/pluggy/", false, false},
		{"/v1/discovery/webhooks/pluggy/abc/", false, false},
		{"/v1/discovery/webhooks/pluggy/abc/d", false, false},
		{"/v1/discovery/webhooks/tokens/abc", false, false},
		{"/v1/discovery/webhooks/tokens", false, false},
	} {
		if _, ok := callback.match(tc.path); ok != tc.callback {
			t.Errorf("callback route, %s: %v", tc.path, ok)
		}
		m, ok := webhook.match(tc.path)
		if ok != tc.webhook {
			t.Errorf("webhook route, %s: %v", tc.path, ok)
		}
		if ok && (m.token != "abc" || tc.path[m.tokenStart:] != "abc") {
			t.Errorf("webhook route, %s: token %q at %d", tc.path, m.token, m.tokenStart)
		}
	}
}

func TestRouteTemplates(t *testing.T) {
	for _, template := range []string{"/{exceptionId}", "/a/{exceptionId}", "/{exceptionId}/b"} {
		mustRoute(t, CallbackRoute, template)
	}
	for _, template := range []string{"/{vendor}/{token}", "/{token}/{vendor}", "/in/{vendor}/{token}/v1"} {
		mustRoute(t, WebhookRoute, template)
	}
	for _, template := range []string{
		"", "a/{exceptionId}", "/a", "/{exceptionId}/{exceptionId}", "/x{exceptionId}", "/{exceptionid}", "/{exceptionId}/",
		"/{exceptionId}/{token}", "/%41/{exceptionId}", "/a//{exceptionId}", "/../{exceptionId}", "/*/{exceptionId}", "/{exceptionId}?a",
	} {
		if _, err := CallbackRoute(template); err == nil {
			t.Errorf("callback path %q was accepted", template)
		}
	}
	for _, template := range []string{"/{vendor}", "/{token}", "/{vendor}/{vendor}/{token}", "/{vendor}/{token}/{exceptionId}"} {
		if _, err := WebhookRoute(template); err == nil {
			t.Errorf("webhook path %q was accepted", template)
		}
	}
}

// TestLiteralTail: Pix posts to a path of its own behind the URL that it was given.
func TestLiteralTail(t *testing.T) {
	p := testPolicy(t)
	p.Routes = []Route{
		mustRoute(t, WebhookRoute, "/hooks/{vendor}/{token}"),
		mustRoute(t, WebhookRoute, "/hooks/{vendor}/{token}/pix"),
	}
	for target, want := range map[string]Outcome{
		"/hooks/pluggy/" + webhookToken: Allowed, "/hooks/pluggy/" + webhookToken + "/pix": Allowed,
		"/hooks/pluggy/" + webhookToken + "/PIX": Ambiguous, "/hooks/pluggy/" + webhookToken + "/pix/": Ambiguous,
		"/hooks/pluggy/" + webhookToken + "/rec": NoRoute, "/hooks/pluggy/" + "unknown-token" + "/pix": Unknown,
	} {
		d := p.Decide(&Request{Method: "POST", Target: target}, fullRing(), now)
		if d.Outcome != want {
			t.Errorf("%s: %s, want %s", target, d.Outcome, want)
		}
	}
	d := p.Decide(&Request{Method: "POST", Target: "/hooks/pluggy/" + webhookToken + "/pix"}, fullRing(), now)
	if f, err := p.Forwarding(&d, now); err != nil || f.Path != "/hooks/pluggy/"+webhookID.String()+"/pix" {
		t.Errorf("forwarded to %+v, %v", f, err)
	}
}
