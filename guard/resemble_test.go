package guard

import "testing"

// TestFormOfARouteIsNotLeftToAWiderOne: what has the form of a guarded route, and is none
// of its paths, is refused, whatever else would take it.
func TestFormOfARouteIsNotLeftToAWiderOne(t *testing.T) {
	api := func(template string, scopes ...string) Route {
		r, err := APIRoute(template, scopes...)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	callback := mustRoute(t, CallbackRoute, "/v1/exceptions/{exceptionId}/callback")
	webhook := mustRoute(t, WebhookRoute, "/v1/discovery/webhooks/{vendor}/{token}")
	for _, tc := range []struct {
		name   string
		routes []Route
		want   map[string]Outcome // by path
	}{
		{"Matcher's routes alone", []Route{callback, webhook}, map[string]Outcome{
			"/V1/exceptions/7d4f/callback": Ambiguous, "/v1/exceptions/7d4f/CALLBACK": Ambiguous, "/v1/exceptions/7d4f/callback/": Ambiguous,
			"/v1/exceptions/7d.4f/callback": Ambiguous, "/v1/exceptions/7d4f/callback": Missing,
			"/v1/exceptions/7d4f/callback/x": NoRoute, "/v1/exceptions/callback": NoRoute, "/v1/exceptions/7d4f": NoRoute,
			"/v1/discovery/webhooks/Pluggy/x": Ambiguous, "/v1/discovery/webhooks/pluggy/x/": Ambiguous, "/v1/Discovery/webhooks/pluggy/x": Ambiguous,
			"/v1/discovery/webhooks/pluggy/x/y": NoRoute, "/v1/discovery/webhooks/pluggy/": NoRoute, "/v1/discovery/webhooks/pluggy": NoRoute,
			"/v1/discovery/webhooks/tokens/x": NoRoute, "/v1/discovery/webhooks/tokens": NoRoute, "/v1/discovery/webhooks/Tokens/x": Ambiguous, "/": NoRoute,
		}},
		{"a narrow api path before a wide one", []Route{api("/partners/orders/*", "orders"), api("/partners/one", "one"), api("/partners/*")}, map[string]Outcome{
			"/partners/orders": Ambiguous, "/partners/Orders": Ambiguous, "/partners/orders/": Missing, "/partners/ORDERS/1": Ambiguous, "/partners/orders/1": Missing,
			"/partners/One": Ambiguous, "/partners/one/": Ambiguous, "/partners/one": Missing, "/partners/one/x": Missing,
			"/partners/other": Missing, "/partners/Other/": Missing, "/partners": Ambiguous, "/Partners/x": Ambiguous, "/": NoRoute,
		}},
		{"a wide api path beside other kinds", []Route{callback, webhook, api("/v1/*")}, map[string]Outcome{
			"/v1/exceptions/7d.4f/callback": Ambiguous, "/v1/exceptions/7d4f/Callback": Ambiguous, "/v1/exceptions/7d4f/callback/": Ambiguous,
			"/v1/discovery/webhooks/Pluggy/x": Ambiguous, "/v1/discovery/webhooks/pluggy/x/": Ambiguous,
			"/v1/discovery/webhooks/pluggy/x/y": Ambiguous, // the token is in it
			"/v1/discovery/webhooks/tokens/x":   Missing, "/v1/exceptions": Missing, "/v1/exceptions/7d4f/callback/x": Missing, "/V1/x": Ambiguous,
		}},
		{"an api path of one vendor", []Route{webhook, api("/v1/discovery/webhooks/pluggy/*")}, map[string]Outcome{
			"/v1/discovery/webhooks/pluggy/x": Unknown, "/v1/discovery/webhooks/pluggy/x/": Ambiguous, "/v1/discovery/webhooks/pluggy/x/y": Ambiguous,
		}},
		{"everything", []Route{callback, api("/*")}, map[string]Outcome{
			"/V1/exceptions/7d4f/callback": Ambiguous, "/": Missing, "/V1/x": Missing,
		}},
		{"a path and what is below it", []Route{api("/a", "a"), api("/a/*", "b")}, map[string]Outcome{
			"/a": Missing, "/a/": Ambiguous, "/a/b": Missing, "/A": Ambiguous, "/A/b": Ambiguous,
		}},
		{"another kind is the narrower one", []Route{
			mustRoute(t, CallbackRoute, "/in/{exceptionId}/x/callback"), mustRoute(t, WebhookRoute, "/in/{vendor}/{token}"),
		}, map[string]Outcome{"/in/a/x/callback": Missing, "/in/a/b": Unknown, "/in/a/b/callback": NoRoute, "/in/A/b": Ambiguous}},
		{"placeholders over literals", []Route{
			mustRoute(t, CallbackRoute, "/in/{exceptionId}"), mustRoute(t, WebhookRoute, "/{vendor}/{token}"),
		}, map[string]Outcome{"/in/a": Missing, "/in/a.b": Ambiguous, "/other/a": Unknown, "/IN/a": Ambiguous}},
	} {
		p := Policy{Routes: tc.routes, MaxBody: 1000, MaxStaleness: maxUnknownAge}
		for path, want := range tc.want {
			for _, target := range []string{path, path + "?a=b"} {
				if d := p.Decide(&Request{Method: "POST", Target: target}, fullRing(), now); d.Outcome != want {
					t.Errorf("%s, %s: %s, want %s", tc.name, target, d.Outcome, want)
				}
			}
		}
	}
}

// TestFormOfAnotherGuardsRoute: a path does not fall through from one guard to a wider path
// of another either, in a handle block behind the first one's.
func TestFormOfAnotherGuardsRoute(t *testing.T) {
	policy := func(template, scope string) *Policy {
		r, err := APIRoute(template, scope)
		if err != nil {
			t.Fatal(err)
		}
		return &Policy{Routes: []Route{r}, MaxBody: 1000, MaxStaleness: maxUnknownAge}
	}
	narrow, wide := policy("/partners/orders/*", "orders"), policy("/partners/*", "products")
	wide.Beside = func() []*Policy { return []*Policy{narrow, wide} }
	for path, want := range map[string]Outcome{
		"/partners/orders": Ambiguous, "/partners/Orders/1": Ambiguous, "/partners/orders/1": Missing, "/partners/other": Missing,
	} {
		if d := wide.Decide(&Request{Method: "POST", Target: path}, fullRing(), now); d.Outcome != want {
			t.Errorf("%s: %s, want %s", path, d.Outcome, want)
		}
	}
}
