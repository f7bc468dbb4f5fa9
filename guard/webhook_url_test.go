package guard

import (
	"errors"
	"strings"
	"testing"
)

func TestWebhookPath(t *testing.T) {
	plain := mustRoute(t, WebhookRoute, "/in/{vendor}/{token}")
	turned := mustRoute(t, WebhookRoute, "/{token}/from/{vendor}")
	connected, err := mustRoute(t, WebhookRoute, "/hooks/{vendor}/{token}").To("/in/{vendor}/{connection}", false)
	if err != nil {
		t.Fatal(err)
	}
	callback := mustRoute(t, CallbackRoute, "/in/acme/{exceptionId}")
	for name, tc := range map[string]struct {
		routes             []Route
		vendor, connection string
		want               string // a path, or part of an error
	}{
		"as configured":                 {[]Route{plain}, "pluggy", "main", "/in/pluggy/" + webhookToken},
		"in another order":              {[]Route{turned}, "pluggy", "main", "/" + webhookToken + "/from/pluggy"},
		"the first of two":              {[]Route{callback, turned, plain}, "pluggy", "main", "/" + webhookToken + "/from/pluggy"},
		"no webhooks":                   {[]Route{callback}, "pluggy", "main", ErrNoWebhooks.Error()},
		"no routes":                     {nil, "pluggy", "main", ErrNoWebhooks.Error()},
		"a reserved vendor":             {[]Route{plain}, "tokens", "main", ErrVendor.Error()},
		"no vendor":                     {[]Route{plain}, "Pluggy", "main", ErrVendor.Error()},
		"the path is another route's":   {[]Route{callback, plain}, "acme", "main", ErrVendor.Error()},
		"the next route has it":         {[]Route{callback, plain, turned}, "acme", "main", "/" + webhookToken + "/from/acme"},
		"a connection that is no path":  {[]Route{connected}, "pluggy", "..", "the guard puts this name into a path"},
		"where it is not in the path":   {[]Route{connected, plain}, "pluggy", "..", "/in/pluggy/" + webhookToken},
		"a connection that is in there": {[]Route{connected}, "pluggy", "the main one", "/hooks/pluggy/" + webhookToken},
	} {
		p := Policy{Routes: tc.routes, MaxBody: 1}
		got, err := p.WebhookPath(tc.vendor, tc.connection, webhookToken)
		if err != nil {
			got = err.Error()
			if path := strings.HasPrefix(tc.want, "/"); path || !strings.HasPrefix(got, tc.want) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
		if d := p.Decide(&Request{Method: "POST", Target: got}, fullRing(), now); tc.vendor == "pluggy" && d.Outcome != Allowed {
			t.Errorf("%s: the guard says %s", name, d.Outcome)
		}
	}
	if _, err := (&Policy{}).WebhookPath("pluggy", "main", webhookToken); !errors.Is(err, ErrNoWebhooks) {
		t.Errorf("without routes: %v", err)
	}
}

func TestCallbackPath(t *testing.T) {
	second := mustRoute(t, CallbackRoute, "/second/{exceptionId}")
	for want, routes := range map[string][]Route{
		"": {mustRoute(t, WebhookRoute, "/in/{vendor}/{token}")}, "/first/{exceptionId}/done": {mustRoute(t, CallbackRoute, "/first/{exceptionId}/done"), second}, "/second/{exceptionId}": {second},
	} {
		if got := (&Policy{Routes: routes}).CallbackPath(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
