package handlers

import (
	"encoding/json"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/hookgate/hookgate/caddymodule/app"
)

func asserting(config AssertJWT) *Guard {
	return &Guard{TokenHeader: defaultTokenHeader, AssertJWT: &config, app: app.Around(nil), logger: zap.NewNop()}
}

func TestAssertionProvision(t *testing.T) {
	t.Setenv("HOOKGATE_TEST_SHARED", "resolved-shared-secret-of-some-length")
	t.Setenv("HOOKGATE_TEST_EMPTY", "")
	const secret = "{env.HOOKGATE_TEST_SHARED}"
	g := asserting(AssertJWT{Secret: secret, Claims: map[string]string{"type": "application"}})
	if err := g.provisionAssertion(); err != nil {
		t.Fatal(err)
	}
	if a := g.policy.Asserter; a.Algorithm != "HS256" || a.Issuer != "hookgate" || a.Audience != "matcher" || a.TTL.String() != "1m0s" ||
		string(a.Secret) != "resolved-shared-secret-of-some-length" || a.Claims["type"] != "application" {
		t.Errorf("%+v", a.Assertion)
	}
	if shown, err := json.Marshal(g); err != nil || strings.Contains(string(shown), "resolved-shared") {
		t.Errorf("the secret is in %s, %v", shown, err)
	}
	if g := (&Guard{}); g.provisionAssertion() != nil || g.policy.Asserter != nil {
		t.Error("vouches without being told to")
	}
	claim := func(name, value string) AssertJWT {
		return AssertJWT{Secret: secret, Claims: map[string]string{name: value}}
	}
	for name, config := range map[string]AssertJWT{
		"no secret":         {},
		"empty secret":      {Secret: "{env.HOOKGATE_TEST_EMPTY}"},
		"unresolved secret": {Secret: "{env.HOOKGATE_TEST_UNSET}"},
		"algorithm":         {Secret: secret, Algorithm: "RS256"},
		"none":              {Secret: secret, Algorithm: "none"},
		"short ttl":         {Secret: secret, TTL: minAssertTTL - 1},
		"long ttl":          {Secret: secret, TTL: maxAssertTTL + 1},
		"role":              claim("roles", "admin"),
		"scope":             claim("scope", "x"),
		"tenant":            claim("tenantId", "11111111-1111-1111-1111-111111111111"),
		"subject":           claim("sub", "x"),
		"empty claim":       claim("type", "{env.HOOKGATE_TEST_EMPTY}"),
	} {
		if err := asserting(config).provisionAssertion(); err == nil {
			t.Errorf("%s: it loads", name)
		} else if strings.Contains(err.Error(), "resolved-shared") {
			t.Errorf("%s: the secret is in the error: %v", name, err)
		}
	}
	both := asserting(AssertJWT{Secret: secret})
	both.TokenHeader, both.ForwardToken = "Authorization", true
	if both.provisionAssertion() == nil {
		t.Error("two things for one header")
	}
}

// TestOneIssuerForGuardAndOperators: in whichever order the handlers come along.
func TestOneIssuerForGuardAndOperators(t *testing.T) {
	p := app.NewPeers()
	if p.Requires("") != nil || p.Requires("https://id.example.com") != nil || p.AssertsAs("hookgate") != nil || p.AssertsAs("hookgate") != nil {
		t.Error("different issuers are refused")
	}
	if !p.IsAsserted("hookgate") || p.IsAsserted("https://id.example.com") || p.IsAsserted("") {
		t.Error("guards and operators are mixed up")
	}
	if p.Requires("hookgate") == nil {
		t.Error("an admin API that nobody could use loads")
	}
	if p := app.NewPeers(); p.Requires("hookgate") != nil || p.AssertsAs("hookgate") == nil {
		t.Error("an admin API that nobody could use loads, if it comes first")
	}
}

func TestUpstreamProvision(t *testing.T) {
	const callback, webhook = "/c/{exceptionId}", "/w/{vendor}/{token}"
	provision := func(upstreams map[string]string, forward bool) error {
		return (&Guard{Callback: []string{callback}, Webhook: []string{webhook}, Upstreams: upstreams, ForwardToken: forward}).addRoutes()
	}
	for upstream, forward := range map[string]bool{"/in/{vendor}/{connection}": false, "/in/{token}": true} {
		if err := provision(map[string]string{webhook: upstream}, forward); err != nil {
			t.Errorf("%s: %v", upstream, err)
		}
	}
	for name, upstreams := range map[string]map[string]string{
		"no such route":       {"/x/{exceptionId}": "/y"},
		"token":               {webhook: "/in/{token}"},
		"unknown placeholder": {callback: "/in/{vendor}"},
		"not canonical":       {callback: "/in//x"},
		"empty":               {callback: ""},
	} {
		if err := provision(upstreams, false); err == nil {
			t.Errorf("%s: it loads", name)
		}
	}
}

func TestIdempotencyProvision(t *testing.T) {
	for value, ok := range map[string]bool{"": true, "body": true, "header": false, "Body": false} {
		if err := (&Guard{IdempotencyKey: value}).checkIdempotency(); (err == nil) != ok {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func TestConnectionsProvision(t *testing.T) {
	for name, tc := range map[string]struct {
		config *Connections
		ok     bool
	}{
		"none":           {nil, true},
		"any":            {&Connections{Any: true}, true},
		"static":         {&Connections{Static: []string{"a"}}, true},
		"matcher":        {&Connections{Matcher: "http://matcher:4018"}, true},
		"empty":          {&Connections{}, false},
		"any and static": {&Connections{Any: true, Static: []string{"a"}}, false},
		"any, matcher":   {&Connections{Any: true, Matcher: "http://m"}, false},
		"idle timeout":   {&Connections{Any: true, Timeout: minConnectionsTimeout}, false},
		"too short":      {&Connections{Matcher: "http://m", Timeout: minConnectionsTimeout - 1}, false},
		"too long":       {&Connections{Matcher: "http://m", Timeout: maxConnectionsTimeout + 1}, false},
		"tls_ca of any":  {&Connections{Any: true, TLSCA: "ca.pem"}, false},
		"tls_ca, http":   {&Connections{Matcher: "http://m", TLSCA: "ca.pem"}, false},
		"no tls_ca":      {&Connections{Matcher: "https://m", TLSCA: "/nowhere/ca.pem"}, false},
		"no URL":         {&Connections{Matcher: "matcher"}, false},
		"unset":          {&Connections{Matcher: "{env.HOOKGATE_TEST_UNSET}"}, false},
	} {
		connections, err := tc.config.provision()
		if (err == nil) != tc.ok || (connections != nil) != (tc.ok && tc.config != nil) {
			t.Errorf("%s: %v, %v", name, connections, err)
		}
	}
}
