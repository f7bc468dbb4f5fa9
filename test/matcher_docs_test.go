package test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/docs"
	"github.com/hookgate/hookgate/test/matcher"
)

// TestMatcherDocs does what docs/matcher.md shows at the shell, before the version of
// Matcher that it shows it for. The tokens are there by then.
func TestMatcherDocs(t *testing.T) {
	t.Parallel()
	var minting, importing []docs.Block
	for _, b := range docs.ToRun(t, "..", "docs/matcher.md", "sh") {
		if strings.Contains(b.Text, "/v1/credentials/import") {
			importing = append(importing, b)
		} else {
			minting = append(minting, b)
		}
	}
	t.Run("2.x", func(t *testing.T) { mintsForMatcher2(t, docs.Script(minting)) })
	t.Run("4.1", func(t *testing.T) { importsFromMatcher4(t, docs.Script(importing)) })
}

func mintsForMatcher2(t *testing.T, script string) {
	m := &matcher.V2{Secret: []byte(jwtSecret), MultiTenant: true, Exceptions: map[string][]string{tenantA: {exceptionA}}}
	g, _ := inFrontOf(t, "## Matcher 2.x", m, config{})
	operator := g.operator(t, tenantA, "admin")
	c := operator.mintCallback("JIRA")
	stdout, _ := typed(t, g.here(script), "OPERATOR="+operator.jwt, "TOKEN="+c.token, "EXCEPTION="+exceptionA)
	if n := len(operator.list(callbackCredentials)); n != 2 || !strings.Contains(stdout, `"token":"mcb_`) {
		t.Errorf("%d credentials, of which one was there:\n%s", n, stdout)
	}
	accepted, refused := m.Take()
	if len(refused) > 0 {
		t.Errorf("Matcher refused %v", refused)
	}
	wantDelivery(t, accepted, matcher.Delivery{
		Tenant: tenantA, Subject: "hookgate:" + c.id, Exception: exceptionA,
		Body: `{"externalSystem":"JIRA","externalIssueId":"RECON-1234","status":"RESOLVED"}`,
	})
}

func importsFromMatcher4(t *testing.T, script string) {
	m := &matcher.V4{
		Secret: []byte(jwtSecret), TrustedProxies: []string{"127.0.0.1"},
		Providers:   map[string]matcher.Provider{"belvo": {AllowIPs: []string{"3.130.254.46"}}},
		Aggregators: map[string][]matcher.Aggregator{tenantA: {{Vendor: "belvo", ConfigName: "belvo-main"}}},
	}
	g, _ := inFrontOf(t, "## Matcher 4.1", m, config{})
	operator := g.operator(t, tenantA, "admin")
	callback, webhook := m.MintCallback(tenantA), m.MintWebhook(tenantA, "belvo", "belvo-main")
	for kind, token := range map[string]string{"callback": callback, "webhook": webhook} {
		// A token is of one kind: its reader types one of the requests.
		other := regexp.MustCompile(`(?m)^curl .*"kind":"(\w+)".*\n`)
		one := other.ReplaceAllStringFunc(script, func(line string) string {
			if other.FindStringSubmatch(line)[1] == kind {
				return line
			}
			return ""
		})
		stdout, _ := typed(t, g.here(one), "OPERATOR="+operator.jwt, "TOKEN="+token)
		if strings.Count(stdout, `"status":"created"`) != 1 {
			t.Errorf("the %s token is not imported:\n%s\n%s", kind, one, stdout)
		}
	}
	wantStatus(t, g.post(t, g.vendors+callbackOf(exceptionA), fixture(t, "matcher-callback.json"), "X-Callback-Token: "+callback), http.StatusOK)
	wantStatus(t, g.post(t, g.vendors+webhooksPath+"belvo/"+webhook, "{}", "X-Forwarded-For: 3.130.254.46"), http.StatusAccepted)
}
