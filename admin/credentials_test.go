package admin_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

const credentialsPath = "/v1/credentials"

// hashOf returns the SHA-256 of a client secret or token, as a caller sends it.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func apiBody(clientID, secret string) string {
	return fmt.Sprintf(`{"kind":"api","clientId":%q,"secretHash":%q}`, clientID, hashOf(secret))
}

// create makes a credential and returns the answer.
func (s *server) create(body string) answer {
	s.t.Helper()
	return s.expect(201, adminOf(s.t, tenantA), "POST", credentialsPath, body)
}

func (s *server) standing(token string) keyring.Standing {
	_, standing := s.store.Keyring().Lookup(credential.DigestToken(token))
	return standing
}

// kept returns what is left of a new credential once its token was shown.
func kept(made map[string]any) map[string]any {
	for _, once := range []string{"token", "webhookUrl", "webhookUrlHint"} {
		delete(made, once)
	}
	return made
}

func fieldNames(m map[string]any) string { return fmt.Sprint(names(anyMap(m))) }

func TestCreateCredentialOfEveryKind(t *testing.T) {
	s := newServer(t)
	for body, want := range map[string]string{
		`{"kind":"callback"}`: "[createdAt id kind status token tokenHint webhookUrlHint]",
		`{"kind":"callback","label":"jira","vendor":null,"scopes":null,"metadata":null,"expiresAt":null}`:                                                         "[createdAt id kind label status token tokenHint webhookUrlHint]",
		`{"kind":"webhook","vendor":"acme","connection":"main","allowedIps":["203.0.113.7","10.0.0.0/8","10.0.0.0/8"]}`:                                           "[allowedIps connection createdAt id kind status token tokenHint vendor webhookUrl]",
		`{"kind":"api","clientId":"billing","secretHash":"SHA256:` + strings.ToUpper(hashOf("x")) + `","scopes":["b","a"],"metadata":{"n":12345678901234567890}}`: "[clientId createdAt id kind metadata scopes status]",
		`{"kind":"api","clientId":"billing-2","secretHash":"` + hashOf("x") + `","label":"Billing","expiresAt":"2127-01-02T03:04:05.678+02:00"}`:                  "[clientId createdAt expiresAt id kind label status]",
	} {
		a := s.create(body)
		if got := fieldNames(a.decode(t)); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Idempotency-Replayed") != "" {
			t.Errorf("headers %v", a.Header)
		}
		token := a.text(t, "token")
		if a.text(t, "kind") != "api" && s.standing(token) != keyring.Live {
			t.Errorf("%s: the token does not work", body)
		}
		shown := s.expect(200, viewerOf(t, tenantA), "GET", credentialsPath+"/"+a.text(t, "id"), "").decode(t)
		made := kept(a.decode(t))
		if fmt.Sprint(shown) != fmt.Sprint(made) {
			t.Errorf("shown %v\nmade  %v", shown, made)
		}
	}
	list := s.expect(200, viewerOf(t, tenantA), "GET", credentialsPath, "")
	for _, text := range []string{
		`"allowedIps":["10.0.0.0/8","203.0.113.7"]`, `"scopes":["a","b"]`, `"metadata":{"n":12345678901234567890}`,
		`"expiresAt":"2127-01-02T01:04:05.678Z"`, `"status":"active"`,
	} {
		if !strings.Contains(string(list.body), text) {
			t.Errorf("the list does not have %s\n%s", text, list.body)
		}
	}
	digest := sha256.Sum256([]byte("x"))
	if key, standing := s.store.Keyring().Lookup(credential.DigestAPISecret("billing", digest)); standing != keyring.Live || key.Tenant != tenantA {
		t.Errorf("the api credential is %v", standing)
	}
}

func TestCreateRefusesWhatMakesNoSense(t *testing.T) {
	s := newServer(t)
	hash := hashOf("x")
	for body, says := range map[string]string{
		`{}`:                                                                         "kind",
		`{"kind":"password"}`:                                                        "body.kind",
		`{"kind":"Callback"}`:                                                        "body.kind",
		`{"kind":"callback","token":"x"}`:                                            "body.token",
		`{"kind":"callback","tenant":"x"}`:                                           "body.tenant",
		`{"kind":"callback","connection":"a"}`:                                       "only a webhook credential",
		`{"kind":"callback","vendor":"A"}`:                                           "body.vendor",
		`{"kind":"webhook"}`:                                                         "vendor",
		`{"kind":"webhook","vendor":"acme"}`:                                         "connection",
		`{"kind":"webhook","vendor":"ACME","connection":"main"}`:                     "body.vendor",
		`{"kind":"callback","clientId":"a"}`:                                         "only an api credential",
		`{"kind":"callback","secretHash":"` + hash + `"}`:                            "only an api credential",
		`{"kind":"api","clientId":"a"}`:                                              "secret hash is missing",
		`{"kind":"api","secretHash":"` + hash + `"}`:                                 "client id",
		`{"kind":"api","clientId":"a:b","secretHash":"` + hash + `"}`:                "body.clientId",
		`{"kind":"api","clientId":"a","secretHash":"md5:` + hash + `"}`:              "body.secretHash",
		`{"kind":"api","clientId":"a","secretHash":"` + hash[1:] + `"}`:              "body.secretHash",
		`{"kind":"api","clientId":"a","secretHash":"` + hash + `","scopes":["a b"]}`: "scope",
		`{"kind":"callback","metadata":[]}`:                                          "body.metadata",
		`{"kind":"callback","metadata":{"a":1,"a":2}}`:                               "duplicate",
		`{"kind":"callback","metadata":{"a":"` + strings.Repeat("x", 5000) + `"}}`:   "metadata",
		`{"kind":"callback","allowedIps":["10.0.0.1/8"]}`:                            "body.allowedIps",
		`{"kind":"callback","allowedIps":["fe80::1%eth0"]}`:                          "body.allowedIps",
		`{"kind":"callback","allowedIps":"10.0.0.1"}`:                                "body.allowedIps",
		`{"kind":"callback","expiresAt":"2020-01-02T03:04:05Z"}`:                     "in the future",
		`{"kind":"callback","expiresAt":"tomorrow"}`:                                 "body.expiresAt",
		`{"kind":"callback","expiresAt":1767323045}`:                                 "body.expiresAt",
		`{"kind":"callback","label":"a\u001b[31m"}`:                                  "body.label",
	} {
		a := s.as(adminOf(t, tenantA), "POST", credentialsPath, body)
		if a.StatusCode != 422 && !strings.Contains(body, `"a":1,"a":2`) {
			t.Errorf("%s: got %d", body, a.StatusCode)
		}
		s.checkDocumented(a, "POST", credentialsPath)
		if !strings.Contains(string(a.body), says) {
			t.Errorf("%s: the answer does not say %q: %s", body, says, a.body)
		}
		if strings.Contains(string(a.body), hash[1:]) {
			t.Errorf("the answer repeats the hash: %s", a.body)
		}
	}
	if list := s.must(200, adminOf(t, tenantA), "GET", credentialsPath, "").list(t, "credentials"); len(list) != 0 {
		t.Errorf("something was made: %v", list)
	}
}

func TestWebhookCredentialsNeedTheirConnection(t *testing.T) {
	s := newServer(t)
	const elsewhere = `{"kind":"webhook","vendor":"pluggy","connection":"other"}`
	checkProblem(t, s.expect(404, adminOf(t, tenantA), "POST", credentialsPath, elsewhere), 404, "HKG-2004")
	without := newServer(t, withoutConnections)
	checkProblem(t, without.expect(503, adminOf(t, tenantA), "POST", credentialsPath, elsewhere), 503, "HKG-2005")
	broken := newServer(t, withConnections(brokenConnections{}))
	checkProblem(t, broken.expect(503, adminOf(t, tenantA), "POST", credentialsPath, elsewhere), 503, "HKG-2006")
	for _, s := range []*server{s, without, broken} {
		s.expectNoTokens()
	}
}

func TestClientIDsAreTakenAcrossTenants(t *testing.T) {
	s := newServer(t)
	a, b := adminOf(t, tenantA), adminOf(t, tenantB)
	id := s.create(apiBody("billing", "one")).text(t, "id")
	checkProblem(t, s.expect(409, b, "POST", credentialsPath, apiBody("billing", "two")), 409, "HKG-2010")
	s.expect(204, a, "DELETE", credentialsPath+"/"+id, "")
	s.expect(201, b, "POST", credentialsPath, apiBody("billing", "two"))
}

func TestListPagesAndFilters(t *testing.T) {
	s := newServer(t)
	var ids []string // newest first
	for i := range 7 {
		a := s.create(fmt.Sprintf(`{"kind":"callback","label":"l%d"}`, i%2))
		ids = slices.Insert(ids, 0, a.text(t, "id"))
	}
	webhook := s.create(`{"kind":"webhook","vendor":"pluggy","connection":"main"}`).text(t, "id")
	s.expect(204, adminOf(t, tenantA), "DELETE", credentialsPath+"/"+ids[0], "")
	s.store.MarkUsed(uuid.MustParse(ids[1]), time.Now())

	for query, want := range map[string][]string{
		"":                                      append([]string{webhook}, ids...),
		"?kind=webhook":                         {webhook},
		"?kind=api":                             nil,
		"?status=revoked":                       {ids[0]},
		"?status=active&kind=callback":          ids[1:],
		"?label=l1":                             {ids[1], ids[3], ids[5]},
		"?label=l":                              nil,
		"?search=L1":                            {ids[1], ids[3], ids[5]},
		"?search=LUG":                           {webhook},
		"?search=Mai&kind=webhook":              {webhook},
		"?search=mai&kind=callback":             nil,
		"?search=" + strings.ToUpper(ids[4]):    {ids[4]},
		"?search=" + ids[4][1:]:                 nil,
		"?search=%25":                           nil,
		"?unusedSince=2020-01-01T00:00:00Z":     slices.Concat([]string{webhook, ids[0]}, ids[2:]),
		"?unusedSince=2127-01-01T00:00:00Z":     append([]string{webhook}, ids...),
		"?hideRevoked=true":                     append([]string{webhook}, ids[1:]...),
		"?hideRevoked=true&status=revoked":      nil,
		"?hideRevoked=false&kind=callback":      ids,
		"?limit=1000":                           append([]string{webhook}, ids...),
		"?kind=callback&status=active&label=l0": {ids[2], ids[4], ids[6]},
	} {
		if got, pages := s.pages(query); !slices.Equal(got, want) || pages != 1 {
			t.Errorf("%s: %d pages of %v, want %v", query, pages, got, want)
		}
		more := "?limit=2"
		if query != "" {
			more = query + "&limit=2"
		}
		if strings.Contains(query, "limit") {
			continue
		}
		if got, _ := s.pages(more); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", more, got, want)
		}
	}
	for _, query := range []string{
		"?kind=", "?kind=password", "?kind=api&kind=webhook", "?status=live", "?limit=0", "?limit=1001", "?limit=x", "?hideRevoked=yes", "?cursor=x",
		"?cursor=" + strings.Repeat("A", 300), "?unusedSince=yesterday", "?tenant=x", "?label=" + strings.Repeat("x", 129), "?search=", "?search=a%0Ab", "?search=" + strings.Repeat("x", 129), "?limit=1;kind=api", "?%zz",
	} {
		checkProblem(t, s.expect(422, viewerOf(t, tenantA), "GET", credentialsPath+query, ""), 422, "HKG-2422")
	}
}

// pages reads a list to its end.
func (s *server) pages(query string) (ids []string, pages int) {
	s.t.Helper()
	cursor := ""
	for {
		a := s.expect(200, viewerOf(s.t, tenantA), "GET", credentialsPath+query+cursor, "")
		for _, c := range a.list(s.t, "credentials") {
			ids = append(ids, c["id"].(string))
		}
		pages++
		next := a.text(s.t, "nextCursor")
		if next == "" {
			return ids, pages
		}
		cursor = "&cursor=" + next
		if query == "" {
			cursor = "?cursor=" + next
		}
	}
}

// TestWhereATokenIsUsed: the answer that shows a token says where it goes, and no
// other one does, since the URL of a webhook has the token in it.
func TestWhereATokenIsUsed(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	webhook := s.create(`{"kind":"webhook","vendor":"pluggy","connection":"main"}`)
	rotated := s.expect(201, operator, "POST", credentialsPath+"/"+webhook.text(t, "id")+"/rotate", "", "Idempotency-Key", "one")
	for _, a := range []answer{webhook, rotated} {
		if got, want := a.text(t, "webhookUrl"), publicURL+"/v1/discovery/webhooks/pluggy/"+a.text(t, "token"); got != want {
			t.Errorf("webhookUrl %q, want %q", got, want)
		}
	}
	callback := s.create(`{"kind":"callback"}`)
	if got := callback.text(t, "webhookUrlHint"); got != publicURL+"/v1/exceptions/{exceptionId}/callback" {
		t.Errorf("webhookUrlHint %q", got)
	}
	again := s.expect(200, operator, "POST", credentialsPath+"/"+webhook.text(t, "id")+"/rotate", "", "Idempotency-Key", "one")
	if strings.Contains(string(again.body), "webhookUrl") || strings.Contains(string(s.must(200, operator, "GET", credentialsPath, "").body), "webhookUrl") {
		t.Error("an answer without a token says where it is used")
	}

	none := newServer(t, withoutPublicURL)
	if a := none.create(`{"kind":"webhook","vendor":"pluggy","connection":"main"}`); a.text(t, "token") == "" || a.text(t, "webhookUrl") != "" {
		t.Errorf("without a public URL: %s", a.body)
	}
}
