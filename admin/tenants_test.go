package admin_test

import (
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
	if result := s.must(200, other, "POST", credentialsPath+"/import", line).list(t, "results")[0]; result["code"] != "HKG-2411" {
		t.Errorf("imported: %v", result)
	}
	if list := s.must(200, other, "GET", credentialsPath, "").list(t, "credentials"); len(list) != 0 {
		t.Errorf("something was minted: %v", list)
	}
	s.must(201, other, "POST", tokensPath, mintPluggy) // the guard of webhooks serves everybody

	webhooks.Tenants = callbacks.Tenants
	checkProblem(t, s.expect(403, other, "POST", tokensPath, mintPluggy), 403, "HKG-2411")
}
