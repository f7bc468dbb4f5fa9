package admin_test

import (
	"testing"

	"github.com/hookgate/hookgate/keyring"
)

func TestDisable(t *testing.T) {
	s := newServer(t)
	admin := adminOf(t, tenantA)
	made := s.create(`{"kind":"callback","label":"jira","expiresAt":"2127-01-02T03:04:05Z"}`)
	path := credentialsPath + "/" + made.text(t, "id")
	for range 2 {
		disabled := s.expect(200, admin, "POST", path+"/disable", `{"reason":"odd traffic"}`)
		if disabled.text(t, "status") != "disabled" || disabled.text(t, "expiresAt") != "2127-01-02T03:04:05Z" || disabled.text(t, "id") != made.text(t, "id") {
			t.Errorf("disabled: %s", disabled.body)
		}
	}
	if got := s.expect(200, admin, "GET", credentialsPath+"?status=disabled", "").list(t, "credentials"); len(got) != 1 || got[0]["id"] != made.text(t, "id") {
		t.Errorf("listed: %v", got)
	}
	if got := s.expect(200, admin, "GET", credentialsPath+"?status=active", "").list(t, "credentials"); len(got) != 0 {
		t.Errorf("listed as active: %v", got)
	}
	verdict := s.expect(200, admin, "POST", credentialsPath+"/verify", `{"token":"`+made.text(t, "token")+`"}`)
	if verdict.text(t, "outcome") != "disabled" || verdict.text(t, "detail") == "" {
		t.Errorf("verdict: %s", verdict.body)
	}
	for _, rotation := range []string{path + "/rotate", callbacksPath + "/" + made.text(t, "id") + "/rotate"} {
		checkProblem(t, s.expect(409, admin, "POST", rotation, ""), 409, "HKG-2016")
	}
	if changed := s.expect(200, admin, "PATCH", path, `{"expiresAt":null}`); changed.text(t, "status") != "disabled" || changed.text(t, "expiresAt") != "" {
		t.Errorf("prolonged: %s", changed.body)
	}
	for range 2 {
		if enabled := s.expect(200, admin, "POST", path+"/enable", ""); enabled.text(t, "status") != "active" {
			t.Errorf("enabled: %s", enabled.body)
		}
	}
	if s.standing(made.text(t, "token")) != keyring.Live {
		t.Error("it does not work again")
	}
	entries := s.expect(200, admin, "GET", "/v1/audit?action=disable", "").list(t, "entries")
	if len(entries) != 1 || entries[0]["reason"] != "odd traffic" || entries[0]["credentialId"] != made.text(t, "id") {
		t.Errorf("audit log: %v", entries)
	}
	if entries := s.expect(200, admin, "GET", "/v1/audit?action=enable", "").list(t, "entries"); len(entries) != 1 {
		t.Errorf("audit log: %v", entries)
	}

	s.expect(200, admin, "POST", path+"/revoke", "")
	for _, operation := range []string{"/disable", "/enable"} {
		checkProblem(t, s.expect(409, admin, "POST", path+operation, ""), 409, "HKG-2003")
		checkProblem(t, s.expect(404, adminOf(t, tenantB), "POST", path+operation, ""), 404, "HKG-2002")
		checkProblem(t, s.expect(403, viewerOf(t, tenantA), "POST", path+operation, ""), 403, "HKG-2403")
		checkProblem(t, s.expect(422, admin, "POST", path+operation, `{"reason":"a\nb"}`), 422, "HKG-2422")
	}
}

// TestDisabledRecord: MintID's rotation is none of a disabled credential either.
func TestDisabledRecord(t *testing.T) {
	s := newServer(t)
	admin := adminOf(t, tenantA)
	id := s.create(apiBody("billing", "one")).text(t, "id")
	s.expect(200, admin, "POST", credentialsPath+"/"+id+"/disable", "")
	a := s.expect(400, admin, "POST", "/rest/v1/rpc/rotate_api_credential_secret_record", `{"_brand_id":"`+tenantA.String()+`","_credential_id":"`+id+`","_new_secret_hash":"`+hashOf("two")+`"}`)
	if a.text(t, "code") != "P0001" || a.text(t, "message") != "Invalid input: the api credential is disabled: enable it before its secret is replaced" {
		t.Errorf("rotated: %s", a.body)
	}
}
