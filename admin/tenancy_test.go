package admin_test

import (
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// TestForeignCredentialsDoNotExist: the id of another tenant, of the other kind and
// of nobody are answered in the same words, so that ids cannot be probed.
func TestForeignCredentialsDoNotExist(t *testing.T) {
	s := newServer(t)
	callback := s.must(201, adminOf(t, tenantA), "POST", callbacksPath, `{"externalSystem":"jira"}`).text(t, "credentialId")
	s.must(201, adminOf(t, tenantA), "POST", tokensPath, mintPluggy)
	token := s.must(200, adminOf(t, tenantA), "GET", tokensPath, "").list(t, "tokens")[0]["id"].(string)
	nobody := uuid.Must(uuid.NewV7()).String()

	for _, c := range []struct{ base, id, who string }{
		{callbacksPath, nobody, adminOf(t, tenantA)},
		{callbacksPath, callback, adminOf(t, tenantB)},
		{callbacksPath, token, adminOf(t, tenantA)},
		{callbacksPath, token, adminOf(t, tenantB)},
		{callbacksPath, uuid.Nil.String(), adminOf(t, tenantA)},
		{tokensPath, nobody, adminOf(t, tenantA)},
		{tokensPath, token, adminOf(t, tenantB)},
		{tokensPath, callback, adminOf(t, tenantA)},
		{tokensPath, callback, adminOf(t, tenantB)},
	} {
		for _, a := range []answer{
			s.as(c.who, "POST", c.base+"/"+c.id+"/rotate", ""),
			s.as(c.who, "DELETE", c.base+"/"+c.id, ""),
		} {
			checkProblem(t, a, 404, "HKG-2002")
			const want = `{"type":"about:blank","title":"Not Found","status":404,"detail":"There is no such credential.","instance":"urn:uuid:ID","code":"HKG-2002"}`
			if got := strings.TrimSpace(strings.Replace(string(a.body), a.Header.Get("X-Request-Id"), "ID", 1)); got != want {
				t.Errorf("got %s", got)
			}
		}
	}
	for path, field := range map[string]string{callbacksPath: "credentials", tokensPath: "tokens"} {
		if list := s.must(200, adminOf(t, tenantB), "GET", path, "").list(t, field); len(list) != 0 {
			t.Errorf("tenant B sees %v", list)
		}
		if list := s.must(200, adminOf(t, tenantA), "GET", path, "").list(t, field); len(list) != 1 || list[0]["revokedAt"] != nil || list[0]["revoked_at"] != nil {
			t.Errorf("tenant A has %v left", list)
		}
	}
}

func TestTenantIsOneInEverySpelling(t *testing.T) {
	s := newServer(t)
	s.must(201, adminOf(t, tenantA), "POST", callbacksPath, `{}`)
	dashless := strings.ReplaceAll(tenantA.String(), "-", "")
	for _, claims := range []jwt.MapClaims{
		{"tenant_id": strings.ToUpper(tenantA.String())},
		{"tenantId": dashless},
		{"tenantId": strings.ToUpper(dashless)},
		{"tenant_id": tenantA.String(), "tenantId": strings.ToUpper(dashless)},
	} {
		claims["role"] = "viewer"
		if list := s.must(200, tokenFor(t, claims), "GET", callbacksPath, "").list(t, "credentials"); len(list) != 1 {
			t.Errorf("%v sees %d credentials", claims, len(list))
		}
	}
}

func TestTenantComesOnlyFromTheToken(t *testing.T) {
	s := newServer(t)
	s.must(201, adminOf(t, tenantA), "POST", callbacksPath, `{}`)
	r := request("GET", callbacksPath, "")
	r.Header.Set("Authorization", adminOf(t, tenantB))
	for _, name := range []string{"X-Tenant-Id", "Tenant_Id", "Tenant"} {
		r.Header.Set(name, tenantA.String())
	}
	if list := s.send(r).list(t, "credentials"); len(list) != 0 {
		t.Errorf("a header opened another tenant: %v", list)
	}
}
