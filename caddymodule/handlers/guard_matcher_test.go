package handlers

import (
	"encoding/json"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/hookgate/hookgate/caddymodule/app"
)

const (
	oneTenant     = "0199d5a4-0000-7000-8000-00000000000a"
	anotherTenant = "0199d5a40000700080000000000000 0b"
)

// expanded returns the guard that a configuration becomes, as JSON.
func expanded(t *testing.T, g *Guard) (string, error) {
	t.Helper()
	g.app, g.logger, g.TokenHeader = app.Around(nil), zap.NewNop(), defaultTokenHeader
	if err := g.expandMatcher(); err != nil {
		return "", err
	}
	if err := g.provisionAssertion(); err != nil {
		return "", err
	}
	g.Matcher, g.TokenHeader = nil, ""
	text, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), nil
}

func TestMatcherExpands(t *testing.T) {
	t.Setenv("HOOKGATE_TEST_SHARED", "resolved-shared-secret-of-some-length")
	const (
		secret   = "{env.HOOKGATE_TEST_SHARED}"
		callback = `"callback":["/v1/exceptions/{exceptionId}/callback"]`
		jwt      = `"assert_jwt":{"algorithm":"HS256","secret":"{env.HOOKGATE_TEST_SHARED}","ttl":60000000000,"issuer":"hookgate","audience":"matcher","claims":{"type":"application"}}`
		body     = `"idempotency_key":"body"`
	)
	for name, tc := range map[string]struct {
		guard Guard
		want  string
	}{
		"2": {Guard{Matcher: &Matcher{Version: "2", JWTSecret: secret}}, "{" + callback + "," + jwt + "," + body + "}"},
		"2 without authorisation": {
			Guard{Matcher: &Matcher{Version: "2", Tenants: []string{oneTenant}}}, "{" + callback + "," + body + "}",
		},
		"4": {Guard{Matcher: &Matcher{Version: "4"}}, "{" + callback + `,"webhook":["/v1/discovery/webhooks/{vendor}/{token}"],"forward_token":true}`},
		"words beside it win": {
			Guard{
				Callback: []string{"/c/{exceptionId}"}, Webhook: []string{"/w/{vendor}/{token}"}, AssertJWT: &AssertJWT{Algorithm: "HS512", Claims: map[string]string{"type": "other"}},
				Matcher: &Matcher{Version: "2", JWTSecret: secret},
			},
			`{"callback":["/c/{exceptionId}"],"webhook":["/w/{vendor}/{token}"],` +
				strings.NewReplacer("HS256", "HS512", "application", "other").Replace(jwt) + "," + body + "}",
		},
	} {
		if got, err := expanded(t, &tc.guard); err != nil || got != tc.want {
			t.Errorf("%s:\n%s, %v, want\n%s", name, got, err, tc.want)
		}
	}
}

func TestMatcherJWT(t *testing.T) {
	g := &Guard{Matcher: &Matcher{Version: "2", JWTSecret: "shared-secret-of-some-length-0123456789", Tenants: []string{oneTenant}, Subject: "hooks"}}
	if _, err := expanded(t, g); err != nil {
		t.Fatal(err)
	}
	if a := g.policy.Asserter; a.Tenant != "minted" || a.Subject != "hooks" || len(g.policy.Tenants) != 1 {
		t.Errorf("%+v, tenants %v", a.Assertion, g.policy.Tenants)
	}
}

func TestMatcherRefuses(t *testing.T) {
	const secret = "shared-secret-of-some-length-0123456789"
	for name, m := range map[string]*Matcher{
		"no version":             {},
		"unknown version":        {Version: "3"},
		"no secret, no tenant":   {Version: "2"},
		"no secret, two tenants": {Version: "2", Tenants: []string{oneTenant, "11111111-1111-1111-1111-111111111111"}},
		"spelling without a JWT": {Version: "2", Tenants: []string{oneTenant}, Tenant: "dashless"},
		"subject without a JWT":  {Version: "2", Tenants: []string{oneTenant}, Subject: "hooks"},
		"unknown spelling":       {Version: "2", JWTSecret: secret, Tenant: "upper"},
		"unset secret":           {Version: "2", JWTSecret: "{env.HOOKGATE_TEST_UNSET}"},
		"unset subject":          {Version: "2", JWTSecret: secret, Subject: "{env.HOOKGATE_TEST_UNSET}"},
		"no UUID":                {Version: "2", JWTSecret: secret, Tenants: []string{anotherTenant}},
		"a tenant twice":         {Version: "2", JWTSecret: secret, Tenants: []string{oneTenant, strings.ToUpper(oneTenant)}},
		"4 with a secret":        {Version: "4", JWTSecret: secret},
		"4 with tenants":         {Version: "4", Tenants: []string{oneTenant}},
	} {
		if _, err := expanded(t, &Guard{Matcher: m}); err == nil {
			t.Errorf("%s: it loads", name)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the secret is in the error: %v", name, err)
		}
	}
}
