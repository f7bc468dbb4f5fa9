package admin_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
)

// TestTenantsThatNoGuardServes get no credential, by any of the ways: it would never work.
func TestTenantsThatNoGuardServes(t *testing.T) {
	callbacks, webhooks := policyOf(matchersCallback), policyOf(matchersWebhook)
	callbacks.Tenants = map[uuid.UUID]bool{tenantA: true}
	s := newServer(t, withGuards(callbacks, webhooks))
	line := importBody(`{"kind":"callback","digest":"` + hashOf("x") + `"}`)
	served, other := adminOf(t, tenantA), adminOf(t, tenantB)

	for path, body := range map[string]string{callbacksPath: `{}`, credentialsPath: `{"kind":"callback"}`} {
		s.must(201, served, "POST", path, body)
		checkProblem(t, s.expect(403, other, "POST", path, body), 403, "HKG-2411")
	}
	if line := "code=HKG-2411 operation=createCredential client_ip=192.0.2.1 tenant=" + tenantB.String(); !strings.Contains(s.log.String(), line) {
		t.Errorf("the log does not have %q", line)
	}
	if result := s.must(200, other, "POST", credentialsPath+"/import", line).list(t, "results")[0]; result["code"] != "HKG-2411" {
		t.Errorf("imported: %v", result)
	}
	if list := s.must(200, other, "GET", credentialsPath, "").list(t, "credentials"); len(list) != 0 {
		t.Errorf("something was minted: %v", list)
	}
	s.must(201, other, "POST", tokensPath, mintPluggy) // the guard of webhooks serves everybody

	// Nor is one rotated that was minted when they were served. What ends one always goes.
	callbacks.Tenants[tenantB] = true
	mint := func(body string) (id, token string) {
		minted := s.must(201, other, "POST", credentialsPath, body)
		return minted.text(t, "id"), minted.text(t, "token")
	}
	first, token := mint(`{"kind":"callback"}`)
	second, _ := mint(`{"kind":"callback"}`)
	old, _ := mint(`{"kind":"callback"}`)
	s.must(201, other, "POST", credentialsPath+"/"+old+"/rotate", `{"gracePeriodSeconds":60}`)
	webhook, _ := mint(`{"kind":"webhook","vendor":"pluggy","connection":"main"}`)
	verify := func(want string) {
		t.Helper()
		verdict := s.must(200, other, "POST", credentialsPath+"/verify", `{"token":"`+token+`"}`).decode(t)
		if verdict["outcome"] != want || verdict["detail"] == "" || verdict["credential"] == nil {
			t.Errorf("the verdict is %v, want %s", verdict, want)
		}
	}
	verify("allowed")
	delete(callbacks.Tenants, tenantB)
	verify("tenant")
	for _, path := range []string{callbacksPath, credentialsPath} {
		checkProblem(t, s.expect(403, other, "POST", path+"/"+first+"/rotate", ""), 403, "HKG-2411")
	}
	checkProblem(t, s.expect(404, other, "POST", credentialsPath+"/"+uuid.NewString()+"/rotate", ""), 404, "HKG-2002")
	s.must(201, other, "POST", credentialsPath+"/"+webhook+"/rotate", "")
	s.must(200, other, "POST", credentialsPath+"/"+old+"/finish", "")
	s.must(200, other, "POST", credentialsPath+"/"+first+"/revoke", "")
	s.must(204, other, "DELETE", callbacksPath+"/"+second, "")
	verify("revoked")

	webhooks.Tenants = callbacks.Tenants
	checkProblem(t, s.expect(403, other, "POST", tokensPath, mintPluggy), 403, "HKG-2411")
}
