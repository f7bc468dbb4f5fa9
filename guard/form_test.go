package guard

import "testing"

// TestHasForm: no spelling of a guarded path that some router takes for it goes without
// a guard, and other paths do.
func TestHasForm(t *testing.T) {
	template := "/hooks/{connection}/{credentialId}"
	webhook, err := mustRoute(t, WebhookRoute, "/in/{vendor}/{token}").To(template, false)
	if err != nil {
		t.Fatal(err)
	}
	api, err := APIRoute("/partners/orders/*")
	if err != nil {
		t.Fatal(err)
	}
	p := &Policy{Routes: []Route{mustRoute(t, CallbackRoute, "/v1/exceptions/{exceptionId}/callback"), webhook, api}}
	for _, path := range []string{
		"/v1/exceptions/7d4f/callback", "/v1/exceptions/7d4f/callback/", "/V1/Exceptions/7d4f/CALLBACK", "/v1/exceptions/a.b/callback",
		"/v1/exceptions/7d4f/%63allback", "/v1/exceptions/7d4f/%2563allback", "/v1/exceptions/7d4f/callback%2f", "/v1/exceptions%2F7d4f/callback",
		"//v1/exceptions/7d4f//callback", "/v1/./exceptions/7d4f/callback", "/v1/x/../exceptions/7d4f/callback", "/v1/exceptions/../callback",
		"/../v1/exceptions/7d4f/callback", "/v1/x/%2e%2e/exceptions/7d4f/callback", "/v1/exceptions/7d4f/callback/x/..",
		"/v1/exceptions/7d4f/callback;a=b", "/v1;a/exceptions/7d4f/callback", `/v1\exceptions\7d4f\callback`, "/v1/exceptions/7d4f/callback%3Fa",
		"/v1/exceptions/7d4f/callback%23a", "/v1/exceptions/7d4f/callback%00", "/v1/exceptions/7d4f/callback%20", "/v1/exceptions/%/callback",
		"v1/exceptions/7d4f/callback",
		"/in/pluggy/abc", "/in/PLUGGY/abc", "/in/to kens/abc", "/hooks/pluggy-main/7d4f", "/Hooks/pluggy-main/7d4f/",
		"/partners/orders", "/partners/orders/", "/partners/orders/7/items", "/Partners/orders/7",
	} {
		if !p.HasForm(path) {
			t.Errorf("%s goes without a guard", path)
		}
	}
	for _, path := range []string{
		"", "/", "*", "/v1", "/v1/exceptions", "/v1/exceptions/7d4f", "/v1/exceptions/callback", "/v1/exceptions//callback", "/v1/exceptions/7d4f/callback/x",
		"/v1/exceptions/7d4f/callbacks", "/in/pluggy", "/in/pluggy/abc/d", "/hooks/pluggy-main", "/partners", "/partners/other", "/a%20b",
	} {
		if p.HasForm(path) {
			t.Errorf("%s needs a guard", path)
		}
	}
}
