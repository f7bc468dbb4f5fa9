package admin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/store"
)

// TestQuota: every way in says the same beyond it.
func TestQuota(t *testing.T) {
	s := newServer(t)
	if err := s.store.Start(store.Tuning{Quota: 1}); err != nil {
		t.Fatal(err)
	}
	who := adminOf(t, tenantA)
	first := s.expect(201, who, "POST", callbacksPath, `{}`).text(t, "credentialId")
	for path, body := range map[string]string{
		callbacksPath: `{}`, tokensPath: mintPluggy, credentialsPath: `{"kind":"callback"}`,
	} {
		checkProblem(t, s.expect(409, who, "POST", path, body), 409, "HKG-2409")
	}
	line := `{"kind":"callback","digest":"` + hashOf("x") + `"}`
	if result := s.must(200, who, "POST", credentialsPath+"/import", importBody(line)).list(t, "results")[0]; result["code"] != "HKG-2409" {
		t.Errorf("an import: %v", result)
	}
	record := fmt.Sprintf(`{"_brand_id":%q,"_name":"n","_client_id":"c","_client_secret_hash":%q}`, tenantA, strings.Repeat("ab", 32))
	if a := s.must(409, who, "POST", "/rpc/create_api_credential_record", record); a.text(t, "code") != "PT409" {
		t.Errorf("MintID: %s", a.body)
	}
	s.expect(201, who, "POST", callbacksPath+"/"+first+"/rotate", "")
	s.expect(201, adminOf(t, tenantB), "POST", callbacksPath, `{}`)
}
