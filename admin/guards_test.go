package admin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/admin/connections"
	"github.com/hookgate/hookgate/guard"
)

const (
	matchersCallback = "/v1/exceptions/{exceptionId}/callback"
	matchersWebhook  = "/v1/discovery/webhooks/{vendor}/{token}"
)

// policyOf is the policy of a guard with these paths: callback paths have
// {exceptionId}, and behind an arrow stands where requests go.
func policyOf(paths ...string) *guard.Policy {
	p := &guard.Policy{MaxBody: 1 << 20, MaxStaleness: 30 * time.Second}
	for _, path := range paths {
		path, upstream, arrow := strings.Cut(path, " -> ")
		compile := guard.WebhookRoute
		if strings.Contains(path, "{exceptionId}") {
			compile = guard.CallbackRoute
		}
		route := must(compile(path))
		if arrow {
			route = must(route.To(upstream, false))
		}
		p.Routes = append(p.Routes, route)
	}
	return p
}

func guards(policies ...*guard.Policy) func() []*guard.Policy {
	return func() []*guard.Policy { return policies }
}

func withGuards(policies ...*guard.Policy) option {
	return func(c *admin.Config) { c.Guards, c.Connections = guards(policies...), connections.Any{} }
}

// TestURLsAreTheGuards: what a vendor is told to post to is what the guard takes.
func TestURLsAreTheGuards(t *testing.T) {
	own := policyOf("/done/{exceptionId}", "/in/{vendor}/{token}")
	s := newServer(t, withGuards(policyOf("/first/{exceptionId}"), own))
	operator := adminOf(t, tenantA)
	minted := s.must(201, operator, "POST", tokensPath, mintPluggy)
	id := s.must(200, operator, "GET", tokensPath, "").list(t, "tokens")[0]["id"].(string)
	created := s.must(201, operator, "POST", credentialsPath, `{"kind":"webhook","vendor":"acme","connection":"main"}`)
	urls := map[string]string{
		minted.text(t, "token"):  minted.text(t, "webhook_url"),
		created.text(t, "token"): created.text(t, "webhookUrl"),
	}
	rotated := s.must(201, operator, "POST", tokensPath+"/"+id+"/rotate", "")
	delete(urls, minted.text(t, "token"))
	urls[rotated.text(t, "token")] = rotated.text(t, "webhook_url")
	for token, url := range urls {
		path, ours := strings.CutPrefix(url, publicURL)
		d := own.Decide(&guard.Request{Method: "POST", Target: path}, s.store.Keyring(), time.Now())
		if !ours || !strings.HasPrefix(path, "/in/") || !strings.HasSuffix(path, "/"+token) || d.Outcome != guard.Allowed {
			t.Errorf("%s: the guard says %s", url, d.Outcome)
		}
	}
	for path, field := range map[string]string{callbacksPath: "webhookUrlHint", credentialsPath: "webhookUrlHint"} {
		a := s.must(201, operator, "POST", path, map[string]string{callbacksPath: `{}`, credentialsPath: `{"kind":"callback"}`}[path])
		if got := a.text(t, field); got != publicURL+"/first/{exceptionId}" {
			t.Errorf("%s: %q", path, got)
		}
	}
}

// TestWhatNoGuardTakesIsNotMinted, by any of the three ways.
func TestWhatNoGuardTakesIsNotMinted(t *testing.T) {
	connected := policyOf("/hooks/{vendor}/{token} -> /in/{vendor}/{connection}")
	for _, c := range []struct {
		name               string
		guards             []*guard.Policy
		vendor, connection string
		status             int
		code, says         string // "" where it is minted
	}{
		{"reserved vendor", []*guard.Policy{policyOf(matchersWebhook)}, "tokens", "main", 422, "HKG-2422", "takes no webhooks from a vendor of this name"},
		{"connection in the path", []*guard.Policy{connected}, "pluggy", "..", 422, "HKG-2422", "puts this name into a path"},
		{"connection that fits", []*guard.Policy{connected}, "pluggy", "main", 201, "", ""},
		{"connection in no path", []*guard.Policy{policyOf(matchersWebhook)}, "pluggy", "..", 201, "", ""},
		{"another guard takes it", []*guard.Policy{connected, policyOf(matchersWebhook)}, "pluggy", "..", 201, "", ""},
		{"no guard", nil, "pluggy", "main", 503, "HKG-2005", "no guard"},
		{"no webhooks", []*guard.Policy{policyOf(matchersCallback)}, "pluggy", "main", 503, "HKG-2005", "no guard"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, withGuards(c.guards...))
			operator := adminOf(t, tenantA)
			said := func(a answer, location string) {
				t.Helper()
				if c.code == "" {
					if a.StatusCode != 201 {
						t.Errorf("%d: %s", a.StatusCode, a.body)
					}
					return
				}
				checkProblem(t, a, c.status, c.code)
				if text := string(a.body); !strings.Contains(text, c.says) || c.status == 422 && !strings.Contains(text, location) {
					t.Errorf("not in its words: %s", text)
				}
			}
			if c.vendor == "pluggy" { // a vendor of that way
				body := fmt.Sprintf(`{"vendor":%q,"connection_config_name":%q}`, c.vendor, c.connection)
				said(s.as(operator, "POST", tokensPath, body), "body.connection_config_name")
			}
			location := "body.connection\""
			if c.vendor == "tokens" {
				location = "body.vendor\""
			}
			said(s.as(operator, "POST", credentialsPath, fmt.Sprintf(`{"kind":"webhook","vendor":%q,"connection":%q}`, c.vendor, c.connection)), location)
			line := fmt.Sprintf(`{"kind":"webhook","vendor":%q,"connection":%q,"digest":%q}`, c.vendor, c.connection, hashOf("x"))
			result := s.must(200, operator, "POST", credentialsPath+"/import", importBody(line)).list(t, "results")[0]
			if code, _ := result["code"].(string); code != c.code || !strings.Contains(fmt.Sprint(result["detail"]), c.says) && c.code != "" {
				t.Errorf("imported: %v", result)
			}
			if c.code != "" {
				s.expectNoTokens()
			}
		})
	}
}

// TestRotationThatNoGuardTakesChangesNothing: the old token would be gone, and the new
// one have no URL.
func TestRotationThatNoGuardTakesChangesNothing(t *testing.T) {
	before := newServer(t)
	operator := adminOf(t, tenantA)
	before.must(201, operator, "POST", tokensPath, mintPluggy)
	list := before.must(200, operator, "GET", tokensPath, "")
	id := list.list(t, "tokens")[0]["id"].(string)
	for name, policies := range map[string][]*guard.Policy{"no guard": nil, "no webhooks": {policyOf(matchersCallback)}} {
		s := newServerOn(t, before.store, withGuards(policies...))
		checkProblem(t, s.as(operator, "POST", tokensPath+"/"+id+"/rotate", ""), 503, "HKG-2005")
		if after := s.must(200, operator, "GET", tokensPath, ""); !slices.Equal(after.body, list.body) {
			t.Errorf("%s: %s", name, after.body)
		}
		checkProblem(t, s.as(operator, "POST", tokensPath+"/"+tenantB.String()+"/rotate", ""), 404, "HKG-2002")
	}
	newServerOn(t, before.store).must(201, operator, "POST", tokensPath+"/"+id+"/rotate", "")
}

// TestVerdictsAreTheGuards: by the guard's rules for what is malformed, by its bounds
// for an old keyring, and by the clock of the server.
func TestVerdictsAreTheGuards(t *testing.T) {
	at := time.Now()
	s := newServer(t, func(c *admin.Config) { c.Now = func() time.Time { return at } })
	viewer := func() string {
		return tokenFor(t, map[string]any{"tenant_id": tenantA.String(), "role": "admin", "exp": at.Add(time.Hour).Unix()})
	}
	live := s.must(201, viewer(), "POST", credentialsPath, `{"kind":"callback"}`).text(t, "token")
	ending := s.must(201, viewer(), "POST", credentialsPath,
		fmt.Sprintf(`{"kind":"callback","expiresAt":%q}`, at.Add(time.Hour).UTC().Format(time.RFC3339))).text(t, "token")
	bound := s.must(201, viewer(), "POST", credentialsPath, `{"kind":"callback","allowedIps":["203.0.113.1"]}`).text(t, "token")
	foreign := s.must(201, tokenFor(t, map[string]any{"tenant_id": tenantB.String(), "role": "admin", "exp": at.Add(time.Hour).Unix()}),
		"POST", credentialsPath, `{"kind":"callback"}`).text(t, "token")
	for _, c := range []struct {
		name, token string
		later       time.Duration
		want        string
	}{
		{"no secret", "billing:", 0, "malformed"},
		{"a client id with a space", "bill ing:x", 0, "malformed"},
		{"a secret that is too long", "billing:" + strings.Repeat("x", 600), 0, "malformed"},
		{"from any address", bound, 0, "allowed"},
		{"another tenant's", foreign, 0, "unknown"},
		{"live, a little later", live, 20 * time.Second, "allowed"},
		{"another tenant's, a little later", foreign, 20 * time.Second, "stale"},
		{"never minted, a little later", "never-minted", 20 * time.Second, "stale"},
		{"malformed, a little later", "no token", 20 * time.Second, "malformed"},
		{"live, too late", live, time.Minute, "stale"},
		{"before it ends", ending, 0, "allowed"},
	} {
		before := at
		at = at.Add(c.later)
		if a := s.must(200, viewer(), "POST", credentialsPath+"/verify", arguments("token", c.token)); a.text(t, "outcome") != c.want {
			t.Errorf("%s: %s", c.name, a.body)
		}
		at = before
	}
}
