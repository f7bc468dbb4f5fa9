package admin_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

func TestMintCallbackCredential(t *testing.T) {
	s := newServer(t)
	a := s.must(201, adminOf(t, tenantA), "POST", callbacksPath, `{"externalSystem":"jira"}`)
	conforms(t, "CredentialSecretResponse", a.body)
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Error("a token may be cached")
	}
	if a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Link") != "" {
		t.Errorf("headers %v", a.Header)
	}
	if got := a.text(t, "externalSystem"); got != "jira" {
		t.Errorf("externalSystem %q", got)
	}
	if got, want := a.text(t, "webhookUrlHint"), publicURL+"/v1/exceptions/{exceptionId}/callback"; got != want {
		t.Errorf("webhookUrlHint %q, want %q", got, want)
	}
	if created := a.text(t, "createdAt"); !isUTC(created) {
		t.Errorf("createdAt %q is not RFC 3339 in UTC", created)
	}
	key, standing := s.store.Keyring().Lookup(credential.DigestToken(a.text(t, "token")))
	if standing == keyring.Revoked || standing == keyring.Live && key.Tenant != tenantA {
		t.Errorf("the keyring has %v of %+v", standing, key)
	}
}

func isUTC(text string) bool {
	_, err := time.Parse(time.RFC3339, text)
	return err == nil && strings.HasSuffix(text, "Z")
}

func TestMintedCallbackCredentialHasOnlyWhatItIsGiven(t *testing.T) {
	s := newServer(t, withoutPublicURL)
	for _, body := range []string{`{}`, `{"externalSystem":null}`, `{"externalSystem":""}`} {
		a := s.must(201, adminOf(t, tenantA), "POST", callbacksPath, body)
		conforms(t, "CredentialSecretResponse", a.body)
		if got := names(anyMap(a.decode(t))); fmt.Sprint(got) != "[createdAt credentialId token]" {
			t.Errorf("%s: the answer has %v", body, got)
		}
	}
}

func anyMap(m map[string]any) any { return m }

func TestLabelsOf128CharactersInAnyScript(t *testing.T) {
	s := newServer(t)
	for _, char := range []string{"a", "é", "漢", "🦉"} {
		label := strings.Repeat(char, 128)
		a := s.must(201, adminOf(t, tenantA), "POST", callbacksPath, fmt.Sprintf(`{"externalSystem":%q}`, label))
		if a.text(t, "externalSystem") != label {
			t.Errorf("%s: came back as %q", char, a.text(t, "externalSystem"))
		}
		checkProblem(t, s.as(adminOf(t, tenantA), "POST", callbacksPath, fmt.Sprintf(`{"externalSystem":%q}`, label+char)), 422, "HKG-2422")
	}
}

func TestListCallbackCredentials(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	empty := s.must(200, operator, "GET", callbacksPath, "")
	conforms(t, "ListResponse", empty.body)
	if strings.TrimSpace(string(empty.body)) != `{"credentials":[]}` {
		t.Errorf("an empty list is %s", empty.body)
	}

	first := s.must(201, operator, "POST", callbacksPath, `{"externalSystem":"one"}`).text(t, "credentialId")
	second := s.must(201, operator, "POST", callbacksPath, `{}`).text(t, "credentialId")
	s.must(204, operator, "DELETE", callbacksPath+"/"+first, "")
	s.must(201, operator, "POST", tokensPath, `{"vendor":"belvo","connection_config_name":"main"}`)

	a := s.must(200, viewerOf(t, tenantA), "GET", callbacksPath, "")
	conforms(t, "ListResponse", a.body)
	list := a.list(t, "credentials")
	if len(list) != 2 || list[0]["id"] != second || list[1]["id"] != first {
		t.Fatalf("not both, newest first: %s", a.body)
	}
	if fmt.Sprint(names(anyMap(list[0]))) != "[createdAt id]" {
		t.Errorf("a live record without label has %v", list[0])
	}
	if fmt.Sprint(names(anyMap(list[1]))) != "[createdAt externalSystem id revokedAt]" {
		t.Errorf("a revoked record has %v", list[1])
	}
}

func TestListShowsLastUse(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	id := s.must(201, operator, "POST", callbacksPath, `{}`).text(t, "credentialId")
	s.store.MarkUsed(uuid.MustParse(id), time.Now())
	used, _ := s.must(200, operator, "GET", callbacksPath, "").list(t, "credentials")[0]["lastUsedAt"].(string)
	if !isUTC(used) {
		t.Errorf("lastUsedAt is %q", used)
	}
}

func TestRotateCallbackCredential(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	old := s.must(201, operator, "POST", callbacksPath, `{"externalSystem":"jira"}`)
	a := s.must(201, operator, "POST", callbacksPath+"/"+old.text(t, "credentialId")+"/rotate", "")
	conforms(t, "CredentialSecretResponse", a.body)
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Error("a token may be cached")
	}
	if a.text(t, "token") == old.text(t, "token") || a.text(t, "credentialId") == old.text(t, "credentialId") {
		t.Error("rotation kept the token or the id")
	}
	if a.text(t, "externalSystem") != "jira" {
		t.Errorf("rotation lost the label: %s", a.body)
	}
	if _, standing := s.store.Keyring().Lookup(credential.DigestToken(old.text(t, "token"))); standing != keyring.Revoked {
		t.Errorf("the old token is %v", standing)
	}

	list := s.must(200, operator, "GET", callbacksPath, "").list(t, "credentials")
	if list[0]["id"] != a.text(t, "credentialId") || list[0]["rotatedAt"] == nil || list[0]["revokedAt"] != nil {
		t.Errorf("the new record is %v", list[0])
	}
	if list[1]["revokedAt"] == nil || list[1]["rotatedAt"] != nil {
		t.Errorf("the old record is %v", list[1])
	}
	checkProblem(t, s.as(operator, "POST", callbacksPath+"/"+old.text(t, "credentialId")+"/rotate", ""), 409, "HKG-2003")
}

func TestOfConcurrentRotationsOneSucceeds(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	path := callbacksPath + "/" + s.must(201, operator, "POST", callbacksPath, `{}`).text(t, "credentialId") + "/rotate"
	answers := make([]answer, 4)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = s.as(operator, "POST", path, "") })
	}
	all.Wait()
	succeeded := 0
	for _, a := range answers {
		if a.StatusCode == 201 {
			succeeded++
		} else {
			checkProblem(t, a, 409, "HKG-2003")
		}
	}
	if succeeded != 1 {
		t.Errorf("%d rotations succeeded", succeeded)
	}
}

func TestRevokeIsIdempotent(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	minted := s.must(201, operator, "POST", callbacksPath, `{}`)
	path := callbacksPath + "/" + minted.text(t, "credentialId")
	var revokedAt []any
	for range 2 {
		a := s.must(204, operator, "DELETE", path, "")
		if len(a.body) != 0 {
			t.Errorf("a 204 with a body: %s", a.body)
		}
		revokedAt = append(revokedAt, s.must(200, operator, "GET", callbacksPath, "").list(t, "credentials")[0]["revokedAt"])
	}
	if revokedAt[0] == nil || revokedAt[0] != revokedAt[1] {
		t.Errorf("revokedAt moved: %v", revokedAt)
	}
	if _, standing := s.store.Keyring().Lookup(credential.DigestToken(minted.text(t, "token"))); standing != keyring.Revoked {
		t.Errorf("the token is %v", standing)
	}
}
