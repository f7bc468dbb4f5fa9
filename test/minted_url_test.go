package test

import (
	"encoding/json"
	"net/http"
	"testing"
)

// TestMintedURLs: a vendor posts to the URL that the operator got, on whatever path the
// guard has.
func TestMintedURLs(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	c := config{store: embedded(t), upstream: u.addr}
	c.guard = []string{"webhook /in/{vendor}/{token}", "callback /done/{exceptionId}"}
	g := start(t, c)
	admin := g.operator(t, tenantA, "admin")
	url := func(a answer) string {
		wantStatus(t, a, http.StatusCreated)
		var body struct {
			WebhookURL string `json:"webhook_url"`
			Hint       string `json:"webhookUrlHint"`
		}
		if err := json.Unmarshal(a.body, &body); err != nil {
			t.Fatal(err)
		}
		return body.WebhookURL + body.Hint
	}
	minted := url(admin.do(http.MethodPost, webhookTokens, `{"vendor":"pluggy","connection_config_name":"pluggy-main"}`))
	wantStatus(t, g.post(t, minted, "{}"), http.StatusOK)
	u.one(t)
	if hint := url(admin.do(http.MethodPost, callbackCredentials, "{}")); hint != g.Vendors+"/done/{exceptionId}" {
		t.Errorf("callbacks are to go to %s", hint)
	}
	for _, vendor := range []string{"tokens", "pluggy"} {
		a := admin.do(http.MethodPost, "/v1/credentials", `{"kind":"webhook","vendor":"`+vendor+`","connection":"pluggy-main"}`)
		wantStatus(t, a, map[string]int{"tokens": http.StatusUnprocessableEntity, "pluggy": http.StatusCreated}[vendor])
	}
}
