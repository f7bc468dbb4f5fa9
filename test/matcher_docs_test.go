package test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/docs"
	"github.com/hookgate/hookgate/test/hookgatetest"
	"github.com/hookgate/hookgate/test/matcher"
)

// TestMatcherDocs does what the pages about Matcher show at the shell, before the version
// that they show it for. The tokens are there by then.
func TestMatcherDocs(t *testing.T) {
	t.Parallel()
	minting := docs.ToRun(t, "..", "docs/matcher-2.md", "sh")
	var mirroring, importing []docs.Block
	for _, b := range docs.ToRun(t, "..", "docs/matcher-4.md", "sh") {
		if strings.Contains(b.Text, "/v1/credentials/import") {
			importing = append(importing, b)
		} else {
			mirroring = append(mirroring, b)
		}
	}
	t.Run("2.x", func(t *testing.T) { mintsForMatcher2(t, docs.Script(minting)) })
	t.Run("4.1", func(t *testing.T) { mintsAtMatcher4(t, docs.Script(mirroring)) })
	t.Run("4.1, from before", func(t *testing.T) { importsFromMatcher4(t, docs.Script(importing)) })
}

func mintsForMatcher2(t *testing.T, script string) {
	m := &matcher.V2{Secret: []byte(hookgatetest.JWTSecret), MultiTenant: true, Exceptions: map[string][]string{tenantA: {exceptionA}}}
	g, _ := inFrontOf(t, "# In front of Matcher 2.x", m, config{})
	operator := g.operator(t, tenantA, "admin")
	stdout, _ := typed(t, g.here(script), "OPERATOR="+operator.jwt, "EXCEPTION="+exceptionA)
	minted := operator.list(callbackCredentials)
	if len(minted) != 1 {
		t.Fatalf("%d credentials:\n%s", len(minted), stdout)
	}
	accepted, refused := m.Take()
	if len(refused) > 0 {
		t.Errorf("Matcher refused %v", refused)
	}
	wantDelivery(t, accepted, matcher.Delivery{
		Tenant: tenantA, Subject: "hookgate:" + minted[0].ID, Exception: exceptionA,
		Body: `{"externalSystem":"JIRA","externalIssueId":"RECON-1234","status":"RESOLVED"}`,
	})
}

func mintsAtMatcher4(t *testing.T, script string) {
	m := &matcher.V4{Secret: []byte(hookgatetest.JWTSecret)}
	g, _ := inFrontOf(t, "# In front of Matcher 4.1", m, config{})
	stdout, _ := typed(t, g.here(script), "OPERATOR="+g.operator(t, tenantA, "admin").jwt, "EXCEPTION="+exceptionA)
	accepted, refused := m.Take()
	if len(refused) > 0 {
		t.Errorf("Matcher refused %v:\n%s", refused, stdout)
	}
	wantDelivery(t, accepted, matcher.Delivery{
		Tenant: tenantA, Exception: exceptionA, Body: `{"externalSystem":"JIRA","externalIssueId":"RECON-1234","status":"RESOLVED"}`,
	})
}

func importsFromMatcher4(t *testing.T, script string) {
	m := &matcher.V4{
		Secret: []byte(hookgatetest.JWTSecret), TrustedProxies: []string{"127.0.0.1"},
		Providers:   map[string]matcher.Provider{"belvo": {AllowIPs: []string{"3.130.254.46"}}},
		Aggregators: map[string][]matcher.Aggregator{tenantA: {{Vendor: "belvo", ConfigName: "belvo-main"}}},
	}
	g, _ := inFrontOf(t, "# In front of Matcher 4.1", m, config{})
	operator := g.operator(t, tenantA, "admin")
	callback, webhook := m.MintCallback(tenantA), m.MintWebhook(tenantA, "belvo", "belvo-main")
	stdout, _ := typed(t, g.here(script), "OPERATOR="+operator.jwt, "CALLBACK="+callback, "ID="+m.IDOf(callback), "WEBHOOK="+webhook)
	if strings.Count(stdout, `"status":"created"`) != 2 {
		t.Errorf("not both tokens are imported:\n%s", stdout)
	}
	wantStatus(t, g.post(t, g.Vendors+callbackOf(exceptionA), fixture(t, "matcher-callback.json"), "X-Callback-Token: "+callback), http.StatusOK)
	wantStatus(t, g.post(t, g.Vendors+webhooksPath+"belvo/"+webhook, "{}", "X-Forwarded-For: 3.130.254.46"), http.StatusAccepted)
}
