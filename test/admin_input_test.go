package test

import (
	"fmt"
	"strings"
	"testing"
)

// TestBadInput: what an operator gets wrong is a problem of theirs with a code, and
// nothing of it is written, on whatever store. The package admin tests all of it.
func TestBadInput(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		g := start(t, config{store: s})
		admin := g.operator(t, tenantA, "admin")
		c, w := admin.mintCallback("JIRA"), admin.mintWebhook("pluggy")
		state := func() string {
			return fmt.Sprintf("%+v %+v", admin.list(callbackCredentials), admin.list(webhookTokens))
		}
		before := state()
		const json = "application/json"
		for _, test := range []struct {
			name, method, path, body, contentType string

			jwt    string
			status int
			code   string
		}{
			{"not JSON", "POST", callbackCredentials, `externalSystem=a`, json, admin.jwt, 400, "HKG-2400"},
			{"not UTF-8", "POST", callbackCredentials, "{\"externalSystem\":\"\xff\"}", json, admin.jwt, 400, "HKG-2400"},
			{"escape character", "POST", callbackCredentials, `{"externalSystem":"a\u001b[31m"}`, json, admin.jwt, 422, "HKG-2422"},
			{"tenant in the body", "POST", callbackCredentials, `{"tenantId":"` + tenantB + `"}`, json, admin.jwt, 422, "HKG-2422"},
			{"too large", "POST", callbackCredentials, strings.Repeat(" ", 65<<10), json, admin.jwt, 413, "HKG-2413"},
			{"form", "POST", callbackCredentials, `externalSystem=a`, "application/x-www-form-urlencoded", admin.jwt, 415, "HKG-2415"},
			{"connection that does not exist", "POST", webhookTokens, `{"vendor":"pluggy","connection_config_name":"nowhere"}`, json, admin.jwt, 404, "HKG-2004"},
			{"id is a token", "POST", webhookTokens + "/" + w.token + "/rotate", "", json, admin.jwt, 422, "HKG-2422"},
			{"id is escaped", "DELETE", callbackCredentials + "/%30" + c.id[1:], "", json, admin.jwt, 404, "HKG-2404"},
			{"id of the other collection", "DELETE", webhookTokens + "/" + c.id, "", json, admin.jwt, 404, "HKG-2002"},
			{"body on delete", "DELETE", callbackCredentials + "/" + c.id, `garbage`, json, admin.jwt, 400, "HKG-2400"},
			{"method", "PUT", callbackCredentials, `{}`, json, admin.jwt, 405, "HKG-2405"},
			{"guarded path", "POST", callbackPath, `{}`, json, admin.jwt, 404, "HKG-2404"},
			{"not a JWT", "DELETE", callbackCredentials + "/" + c.id, "", json, c.token, 401, "HKG-2401"},
			{"changed JWT", "DELETE", callbackCredentials + "/" + c.id, "", json, admin.jwt + "x", 401, "HKG-2401"},
			{"viewer", "DELETE", callbackCredentials + "/" + c.id, "", json, g.operator(t, tenantA, "viewer").jwt, 403, "HKG-2403"},
		} {
			t.Run(test.name, func(t *testing.T) {
				a := g.send(t, test.method, g.Admin+test.path, strings.NewReader(test.body),
					"Authorization: Bearer "+test.jwt, "Content-Type: "+test.contentType)
				wantProblem(t, a, test.status, test.code)
				if strings.Contains(string(a.body), w.token) {
					t.Errorf("the answer repeats a token: %s", a.body)
				}
				if (a.header.Get("WWW-Authenticate") != "") != (test.status == 401) {
					t.Errorf("WWW-Authenticate: %q", a.header["Www-Authenticate"])
				}
			})
		}
		if after := state(); after != before {
			t.Errorf("changed:\n%s\n%s", before, after)
		}
	})
}
