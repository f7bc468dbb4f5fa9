package test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestBadInput: whatever an operator gets wrong is a problem of theirs with a code,
// and nothing of it is written.
func TestBadInput(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		g := start(t, config{store: s})
		admin, viewer := g.operator(t, tenantA, "admin"), g.operator(t, tenantA, "viewer")
		c, w := admin.mintCallback("JIRA"), admin.mintWebhook("pluggy")
		state := func() string {
			return fmt.Sprintf("%+v %+v", admin.list(callbackCredentials), admin.list(webhookTokens))
		}
		before := state()

		const json = "Content-Type: application/json"
		label := func(text string) string { return `{"externalSystem":"` + text + `"}` }
		hook := func(vendor, connection string) string {
			return `{"vendor":"` + vendor + `","connection_config_name":"` + connection + `"}`
		}
		for _, test := range []struct {
			name    string
			method  string
			path    string
			body    string
			headers []string
			status  int
			code    string
		}{
			{"129 characters", "POST", callbackCredentials, label(strings.Repeat("x", 129)), []string{json}, 422, "HKG-2422"},
			{"129 characters of four bytes", "POST", callbackCredentials, label(strings.Repeat("𝔥", 129)), []string{json}, 422, "HKG-2422"},
			{"control character", "POST", callbackCredentials, label(`a\nb`), []string{json}, 422, "HKG-2422"},
			{"escape character", "POST", callbackCredentials, label(`a\u001b[31m`), []string{json}, 422, "HKG-2422"},
			{"C1 control character", "POST", callbackCredentials, label(`a\u0085`), []string{json}, 422, "HKG-2422"},
			{"not UTF-8", "POST", callbackCredentials, label("\xff"), []string{json}, 0, ""},
			{"lone surrogate", "POST", callbackCredentials, label(`\ud800`), []string{json}, 0, ""},
			{"number", "POST", callbackCredentials, `{"externalSystem":1}`, []string{json}, 422, "HKG-2422"},
			{"unknown field", "POST", callbackCredentials, `{"externalSystem":"a","role":"admin"}`, []string{json}, 422, "HKG-2422"},
			{"tenant in the body", "POST", callbackCredentials, `{"tenantId":"` + tenantB + `"}`, []string{json}, 422, "HKG-2422"},
			{"wrong case", "POST", callbackCredentials, `{"ExternalSystem":"a"}`, []string{json}, 422, "HKG-2422"},
			{"duplicate field", "POST", callbackCredentials, `{"externalSystem":"a","externalSystem":"b"}`, []string{json}, 0, ""},
			{"list", "POST", callbackCredentials, `[]`, []string{json}, 422, "HKG-2422"},
			{"null document", "POST", callbackCredentials, `null`, []string{json}, 0, ""},
			{"two documents", "POST", callbackCredentials, `{}{}`, []string{json}, 0, ""},
			{"cut off", "POST", callbackCredentials, `{"externalSystem":`, []string{json}, 0, ""},
			{"not JSON", "POST", callbackCredentials, `externalSystem=a`, []string{json}, 0, ""},
			{"deep", "POST", callbackCredentials, `{"externalSystem":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, []string{json}, 0, ""},
			{"too large", "POST", callbackCredentials, label(strings.Repeat("x", 65<<10)), []string{json}, 413, "HKG-2413"},
			{"form", "POST", callbackCredentials, `externalSystem=a`, []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "HKG-2415"},
			{"text", "POST", callbackCredentials, `{}`, []string{"Content-Type: text/plain"}, 415, "HKG-2415"},
			{"bad media type", "POST", callbackCredentials, `{}`, []string{"Content-Type: ;;"}, 415, "HKG-2415"},
			{"two media types", "POST", callbackCredentials, `{}`, []string{json, "Content-Type: text/plain"}, 415, "HKG-2415"},

			{"no vendor", "POST", webhookTokens, `{"connection_config_name":"pluggy-main"}`, []string{json}, 422, "HKG-2422"},
			{"no connection", "POST", webhookTokens, `{"vendor":"pluggy"}`, []string{json}, 422, "HKG-2422"},
			{"no body", "POST", webhookTokens, ``, nil, 0, ""},
			{"unknown vendor", "POST", webhookTokens, hook("stripe", "pluggy-main"), []string{json}, 422, "HKG-2422"},
			{"vendor in capitals", "POST", webhookTokens, hook("Pluggy", "pluggy-main"), []string{json}, 422, "HKG-2422"},
			{"empty connection", "POST", webhookTokens, hook("pluggy", ""), []string{json}, 422, "HKG-2422"},
			{"long connection", "POST", webhookTokens, hook("pluggy", strings.Repeat("x", 257)), []string{json}, 422, "HKG-2422"},
			{"connection that does not exist", "POST", webhookTokens, hook("pluggy", "nowhere"), []string{json}, 404, "HKG-2004"},
			{"camel case", "POST", webhookTokens, `{"vendor":"pluggy","connectionConfigName":"pluggy-main"}`, []string{json}, 422, "HKG-2422"},

			{"id is no UUID", "DELETE", callbackCredentials + "/1", "", nil, 422, "HKG-2422"},
			{"id without dashes", "DELETE", callbackCredentials + "/" + strings.ReplaceAll(c.id, "-", ""), "", nil, 422, "HKG-2422"},
			{"id in braces", "DELETE", callbackCredentials + "/{" + c.id + "}", "", nil, 404, "HKG-2404"},
			{"id as URN", "DELETE", callbackCredentials + "/urn:uuid:" + c.id, "", nil, 422, "HKG-2422"},
			{"id is a token", "POST", webhookTokens + "/" + w.token + "/rotate", "", nil, 422, "HKG-2422"},
			{"id of the other collection", "DELETE", webhookTokens + "/" + c.id, "", nil, 404, "HKG-2002"},
			{"id is escaped", "DELETE", callbackCredentials + "/%30" + c.id[1:], "", nil, 404, "HKG-2404"},
			{"body on rotate", "POST", callbackCredentials + "/" + c.id + "/rotate", `{"gracePeriodSeconds":60}`, []string{json}, 422, "HKG-2422"},
			{"body on delete", "DELETE", callbackCredentials + "/" + c.id, `garbage`, nil, 400, "HKG-2400"},

			{"method", "PUT", callbackCredentials, `{}`, []string{json}, 405, "HKG-2405"},
			{"method on an id", "GET", callbackCredentials + "/" + c.id, "", nil, 405, "HKG-2405"},
			{"trailing slash", "POST", callbackCredentials + "/", `{}`, []string{json}, 404, "HKG-2404"},
			{"double slash", "POST", "/" + callbackCredentials, `{}`, []string{json}, 404, "HKG-2404"},
			{"unknown path", "GET", "/v1/nothing", "", nil, 404, "HKG-2404"},
			{"guarded path", "POST", callbackPath, `{}`, []string{json}, 404, "HKG-2404"},
		} {
			t.Run(test.name, func(t *testing.T) {
				headers := append([]string{"Authorization: Bearer " + admin.jwt}, test.headers...)
				a := g.send(t, test.method, g.Admin+test.path, strings.NewReader(test.body), headers...)
				if test.status == 0 { // either says enough
					test.status, test.code = http.StatusUnprocessableEntity, "HKG-2422"
					if a.status == http.StatusBadRequest {
						test.status, test.code = http.StatusBadRequest, "HKG-2400"
					}
				}
				wantProblem(t, a, test.status, test.code)
				if strings.Contains(string(a.body), w.token) {
					t.Errorf("the answer repeats a token: %s", a.body)
				}
			})
		}
		for _, test := range []struct {
			name          string
			authorization []string
			status        int
			code          string
		}{
			{"no bearer token", nil, 401, "HKG-2401"},
			{"basic", []string{"Authorization: Basic YTpi"}, 401, "HKG-2401"},
			{"not a JWT", []string{"Authorization: Bearer " + c.token}, 401, "HKG-2401"},
			{"two of them", []string{"Authorization: Bearer " + admin.jwt, "Authorization: Bearer " + admin.jwt}, 401, "HKG-2401"},
			{"changed", []string{"Authorization: Bearer " + admin.jwt + "x"}, 401, "HKG-2401"},
			{"tenant is no UUID", []string{"Authorization: Bearer " + g.operator(t, "acme", "admin").jwt}, 401, "HKG-2401"},
			{"viewer", []string{"Authorization: Bearer " + viewer.jwt}, 403, "HKG-2403"},
			{"unknown role", []string{"Authorization: Bearer " + g.operator(t, tenantA, "root").jwt}, 403, "HKG-2403"},
		} {
			t.Run(test.name, func(t *testing.T) {
				for _, call := range [][2]string{
					{http.MethodPost, callbackCredentials}, {http.MethodDelete, callbackCredentials + "/" + c.id},
					{http.MethodPost, callbackCredentials + "/" + c.id + "/rotate"}, {http.MethodPost, webhookTokens},
				} {
					a := g.send(t, call[0], g.Admin+call[1], nil, test.authorization...)
					wantProblem(t, a, test.status, test.code)
					if (a.header.Get("WWW-Authenticate") != "") != (test.status == http.StatusUnauthorized) {
						t.Errorf("WWW-Authenticate: %q", a.header["Www-Authenticate"])
					}
				}
			})
		}
		if after := state(); after != before {
			t.Errorf("changed:\n%s\n%s", before, after)
		}

		t.Run("128 characters of any script", func(t *testing.T) {
			for _, text := range []string{strings.Repeat("x", 128), strings.Repeat("é", 128), strings.Repeat("漢", 128), strings.Repeat("𝔥", 128), " ", `"\/<&>`} {
				c := admin.mintCallback(text)
				if got := admin.find(c).Label; got != text {
					t.Errorf("listed as %q, want %q", got, text)
				}
			}
		})
	})
}
