package admin_test

import (
	"strings"
	"testing"

	"github.com/hookgate/hookgate/credential"
)

// TestLabelThatHoldsAToken: a token pasted into a label is refused wherever a label is
// given, and not repeated. A credential that has such a label keeps it and can be changed.
func TestLabelThatHoldsAToken(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	token := credential.MintToken(credential.KindCallback.TokenPrefix())
	one := credentialsPath + "/" + s.create(`{"kind":"callback","label":"jira"}`).text(t, "id")
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		says               string
	}{
		"create":        {"POST", credentialsPath, `{"kind":"callback","label":"jira ` + token + `"}`, 422, `"location":"body.label"`},
		"a cut off one": {"POST", credentialsPath, `{"kind":"callback","label":"` + token[:20] + `"}`, 422, `"location":"body.label"`},
		"a webhook URL": {"POST", credentialsPath, `{"kind":"webhook","vendor":"acme","connection":"main","label":"https://h.example/v1/discovery/webhooks/acme/mwh_` + token[4:] + `"}`, 422, `"location":"body.label"`},
		"patch":         {"PATCH", one, `{"label":"` + token + `"}`, 422, `"location":"body.label"`},
		"import":        {"POST", credentialsPath + "/import", `{"credentials":[{"kind":"callback","digest":"` + hashOf("x") + `","label":"` + token + `"}]}`, 200, `"code":"HKG-2422"`},
		"Matcher's":     {"POST", callbacksPath, `{"externalSystem":"` + token + `"}`, 422, `"location":"body.externalSystem"`},
		"MintID's":      {"POST", createRecord, newRecord("billing", "x", "_name", token), 400, `"code":"P0001"`},
	} {
		a := s.as(operator, c.method, c.path, c.body)
		if a.StatusCode != c.status || !strings.Contains(string(a.body), c.says) || !strings.Contains(string(a.body), "holds a token") || strings.Contains(string(a.body), token[4:12]) {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	if list := s.expect(200, operator, "GET", credentialsPath, "").list(t, "credentials"); len(list) != 1 || list[0]["label"] != "jira" {
		t.Errorf("kept: %v", list)
	}
	for _, label := range []string{"mcb", "mcb_F2Ox", "mcb_jira", "callbacks of JIRA (mcb_)"} {
		s.create(`{"kind":"callback","label":"` + label + `"}`)
	}

	old, _, err := s.store.Mint(t.Context(), credential.Spec{Tenant: tenantA, Kind: credential.KindCallback, Label: token})
	if err != nil {
		t.Fatal(err)
	}
	kept := credentialsPath + "/" + old.ID.String()
	if got := s.expect(200, operator, "GET", kept, "").text(t, "label"); got != token {
		t.Errorf("shown as %q", got)
	}
	s.expect(200, operator, "PATCH", kept, `{"allowedIps":["203.0.113.7"]}`)
	s.expect(201, operator, "POST", kept+"/rotate", `{"gracePeriodSeconds":60}`)
	s.expect(200, operator, "PATCH", kept, `{"label":"jira"}`)
}
