package admin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/admin/connections"
)

func withoutPublicURL(c *admin.Config)   { c.PublicURL = "" }
func withoutConnections(c *admin.Config) { c.Connections = nil }

func withConnections(connections connections.Source) option {
	return func(c *admin.Config) { c.Connections = connections }
}

const mintPluggy = `{"vendor":"pluggy","connection_config_name":"main"}`

func TestMintWebhookToken(t *testing.T) {
	s := newServer(t, func(c *admin.Config) { c.PublicURL = "https://hooks.example.com/inbound" })
	a := s.must(201, adminOf(t, tenantA), "POST", tokensPath, mintPluggy)
	conforms(t, "MintResponse", a.body)
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Error("a token may be cached")
	}
	if got, want := a.text(t, "webhook_url"), "https://hooks.example.com/inbound/v1/discovery/webhooks/pluggy/"+a.text(t, "token"); got != want {
		t.Errorf("webhook_url %q, want %q", got, want)
	}
	if !strings.HasPrefix(a.text(t, "token"), "mwh_") || a.text(t, "vendor") != "pluggy" {
		t.Errorf("minted %s", a.body)
	}
}

func TestListWebhookTokens(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	if empty := s.must(200, operator, "GET", tokensPath, ""); strings.TrimSpace(string(empty.body)) != `{"tokens":[]}` {
		t.Errorf("an empty list is %s", empty.body)
	}
	s.must(201, operator, "POST", tokensPath, mintPluggy)
	s.must(201, operator, "POST", tokensPath, `{"vendor":"belvo","connection_config_name":"main"}`)
	s.must(201, operator, "POST", callbacksPath, `{}`)

	a := s.must(200, viewerOf(t, tenantA), "GET", tokensPath, "")
	matches(t, compileSchema(t, openAPI(t, s), "#/components/schemas/WebhookTokenList"), a.body)
	list := a.list(t, "tokens")
	if len(list) != 2 || list[0]["vendor"] != "belvo" || list[1]["vendor"] != "pluggy" {
		t.Fatalf("not both, newest first: %s", a.body)
	}
	if fmt.Sprint(names(anyMap(list[0]))) != "[connection_config_name created_at id vendor]" {
		t.Errorf("a live record has %v", list[0])
	}
}

func TestRotateAndRevokeWebhookToken(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	old := s.must(201, operator, "POST", tokensPath, mintPluggy)
	id := s.must(200, operator, "GET", tokensPath, "").list(t, "tokens")[0]["id"].(string)

	a := s.must(201, operator, "POST", tokensPath+"/"+id+"/rotate", "")
	conforms(t, "MintResponse", a.body)
	if a.text(t, "token") == old.text(t, "token") || !strings.HasSuffix(a.text(t, "webhook_url"), "/pluggy/"+a.text(t, "token")) {
		t.Errorf("rotated into %s", a.body)
	}
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Error("a token may be cached")
	}
	checkProblem(t, s.as(operator, "POST", tokensPath+"/"+id+"/rotate", ""), 409, "HKG-2003")

	list := s.must(200, operator, "GET", tokensPath, "").list(t, "tokens")
	if list[0]["connection_config_name"] != "main" || list[0]["rotated_at"] == nil || list[1]["revoked_at"] == nil {
		t.Errorf("after the rotation: %v", list)
	}
	for range 2 {
		s.must(204, operator, "DELETE", tokensPath+"/"+list[0]["id"].(string), "")
	}
}

func TestNoWebhookTokenWithoutConnection(t *testing.T) {
	s := newServer(t)
	checkProblem(t, s.as(adminOf(t, tenantA), "POST", tokensPath, `{"vendor":"pluggy","connection_config_name":"other"}`), 404, "HKG-2004")
	s.expectNoTokens()
}

// expectNoTokens expects that nothing was written for the tenant.
func (s *server) expectNoTokens() {
	s.t.Helper()
	if list := s.must(200, adminOf(s.t, tenantA), "GET", tokensPath, "").list(s.t, "tokens"); len(list) != 0 {
		s.t.Errorf("there are tokens: %v", list)
	}
}

func TestAnyConnection(t *testing.T) {
	s := newServer(t, withConnections(connections.Any{}))
	s.must(201, adminOf(t, tenantA), "POST", tokensPath, fmt.Sprintf(`{"vendor":"belvo","connection_config_name":%q}`, strings.Repeat("漢", 256)))
}

type brokenConnections struct{}

func (brokenConnections) Exists(context.Context, connections.Query) (bool, error) {
	return true, errors.New("dial tcp 10.1.2.3:4018: connection refused")
}

func TestUnknowableConnection(t *testing.T) {
	s := newServer(t, withConnections(brokenConnections{}))
	a := s.as(adminOf(t, tenantA), "POST", tokensPath, mintPluggy)
	checkProblem(t, a, 503, "HKG-2006")
	if a.Header.Get("Retry-After") == "" || strings.Contains(string(a.body), "10.1.2.3") {
		t.Errorf("Retry-After %q, %s", a.Header.Get("Retry-After"), a.body)
	}
	if !strings.Contains(s.log.String(), "10.1.2.3") || !strings.Contains(s.log.String(), a.Header.Get("X-Request-Id")) {
		t.Errorf("the log does not say why: %s", s.log)
	}
	s.expectNoTokens()
}

// connectionsOf says who asked for what.
type connectionsOf map[string]bool

func (c connectionsOf) Exists(_ context.Context, q connections.Query) (bool, error) {
	return c[q.Tenant.String()+" "+q.Vendor+" "+q.Name], nil
}

func TestConnectionsAreAskedForTenantAndVendor(t *testing.T) {
	s := newServer(t, withConnections(connectionsOf{tenantA.String() + " pluggy main": true}))
	s.must(201, adminOf(t, tenantA), "POST", tokensPath, mintPluggy)
	s.must(404, adminOf(t, tenantB), "POST", tokensPath, mintPluggy)
	s.must(404, adminOf(t, tenantA), "POST", tokensPath, `{"vendor":"belvo","connection_config_name":"main"}`)
}

func TestWebhookTokensNeedConfiguration(t *testing.T) {
	for name, o := range map[string]option{"no public URL": withoutPublicURL, "no connections": withoutConnections} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, o)
			checkProblem(t, s.as(adminOf(t, tenantA), "POST", tokensPath, mintPluggy), 503, "HKG-2005")
			s.expectNoTokens()
		})
	}
}

func TestRotationWithoutPublicURLChangesNothing(t *testing.T) {
	configured := newServer(t)
	operator := adminOf(t, tenantA)
	configured.must(201, operator, "POST", tokensPath, mintPluggy)
	id := configured.must(200, operator, "GET", tokensPath, "").list(t, "tokens")[0]["id"].(string)

	s := newServerOn(t, configured.store, withoutPublicURL)
	checkProblem(t, s.as(operator, "POST", tokensPath+"/"+id+"/rotate", ""), 503, "HKG-2005")
	list := s.must(200, operator, "GET", tokensPath, "").list(t, "tokens")
	if len(list) != 1 || list[0]["revoked_at"] != nil {
		t.Errorf("the token did not stay: %v", list)
	}
	s.must(204, operator, "DELETE", tokensPath+"/"+id, "") // revoking needs no URL
}

func TestRotationOutlivesTheConnection(t *testing.T) {
	configured := newServer(t)
	operator := adminOf(t, tenantA)
	configured.must(201, operator, "POST", tokensPath, mintPluggy)
	id := configured.must(200, operator, "GET", tokensPath, "").list(t, "tokens")[0]["id"].(string)
	newServerOn(t, configured.store, withConnections(connections.Static{})).must(201, operator, "POST", tokensPath+"/"+id+"/rotate", "")
}
