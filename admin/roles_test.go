package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/admin/bearer"
)

// TestMinter: what a pipeline needs that hands out tokens, and nothing else.
func TestMinter(t *testing.T) {
	s := newServer(t)
	minter := tokenFor(t, jwt.MapClaims{"tenant_id": tenantA.String(), "roles": "minter", "sub": "pipeline"})
	mint := func() string {
		return s.must(201, minter, "POST", credentialsPath, `{"kind":"callback"}`).text(t, "id")
	}
	one, two := credentialsPath+"/"+mint(), credentialsPath+"/"+mint()
	callback := callbacksPath + "/" + s.must(201, minter, "POST", callbacksPath, `{}`).text(t, "credentialId")
	s.must(201, minter, "POST", tokensPath, mintPluggy)
	s.must(200, minter, "POST", createRecord, newRecord("a", "a"))
	record := s.record()["id"].(string)
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", credentialsPath, "", 200},
		{"GET", one, "", 200},
		{"GET", callbacksPath, "", 200},
		{"GET", tokensPath, "", 200},
		{"GET", "/v1/me", "", 200},
		{"POST", one + "/rotate", `{"gracePeriodSeconds":60}`, 201},
		{"POST", one + "/finish", "", 200},
		{"POST", callback + "/rotate", "", 201},
		{"POST", rotateRecord, arguments("_brand_id", tenantA.String(), "_credential_id", record, "_new_secret_hash", hashOf("b")), 200},

		{"POST", revokeRecord, arguments("_brand_id", tenantA.String(), "_credential_id", record), 403},
		{"POST", two + "/rotate", `{"force":true}`, 403},
		{"POST", two + "/revoke", "", 403},
		{"DELETE", two, "", 403},
		{"PATCH", two, `{"label":"x"}`, 403},
		{"POST", two + "/signing-secret", `{}`, 403},
		{"DELETE", callback, "", 403},
		{"POST", credentialsPath + "/import", `{"credentials":[]}`, 403},
		{"POST", credentialsPath + "/verify", `{"token":"x"}`, 403},
		{"POST", two + "/disable", "", 403},
		{"POST", two + "/enable", "", 403},
		{"GET", "/v1/audit", "", 403},
		{"GET", "/v1/audit/export", "", 403},
	} {
		a := s.as(minter, c.method, c.path, c.body)
		switch {
		case a.StatusCode != c.want:
			t.Errorf("%s %s %s: %d, want %d\n%s", c.method, c.path, c.body, a.StatusCode, c.want, a.body)
		case c.want == 403 && !strings.HasPrefix(c.path, "/rest/"):
			checkProblem(t, a, 403, "HKG-2403")
		}
	}
	// Of one operator the audit log takes ten at once.
	if got := s.refusals(adminOf(t, tenantA)); len(got) != 10 || got[9] != "pipeline revokeApiCredentialRecord 42501" || got[8] != "pipeline rotateCredential HKG-2403" {
		t.Errorf("audited: %v", got)
	}
	if a := s.as(adminOf(t, tenantA), "POST", two+"/rotate", `{"force":true}`); a.StatusCode != http.StatusCreated {
		t.Errorf("what an admin may: %d %s", a.StatusCode, a.body)
	}
}

// TestRoleMap: an issuer's own names, beside ours.
func TestRoleMap(t *testing.T) {
	s := newServer(t, withJWT(func(c *bearer.Config) {
		c.RolesClaims = []string{"groups", "https://hookgate.example/roles", "realm_access.roles"}
		c.RoleMap = map[string]bearer.Role{
			"hooks-operators": bearer.RoleAdmin, "f1b6b9a0-9f0e-4f6a-9d9f-1d0a3a1e7f2c": bearer.RoleMinter,
			"All Staff": bearer.RoleViewer, "owner": bearer.RoleNone, "admin": bearer.RoleViewer,
		}
	}))
	for _, c := range []struct {
		claims jwt.MapClaims
		want   bearer.Role
	}{
		{jwt.MapClaims{"groups": []string{"x", "hooks-operators"}}, bearer.RoleAdmin},
		{jwt.MapClaims{"groups": "hooks-operators"}, bearer.RoleAdmin},
		{jwt.MapClaims{"groups": []string{"f1b6b9a0-9f0e-4f6a-9d9f-1d0a3a1e7f2c"}}, bearer.RoleMinter},
		{jwt.MapClaims{"groups": []string{"All Staff"}}, bearer.RoleViewer},
		{jwt.MapClaims{"groups": "All Staff"}, bearer.RoleViewer},
		{jwt.MapClaims{"groups": "All"}, bearer.RoleNone},
		{jwt.MapClaims{"groups": "minter"}, bearer.RoleMinter},
		{jwt.MapClaims{"groups": "owner"}, bearer.RoleNone},
		{jwt.MapClaims{"groups": "admin"}, bearer.RoleViewer},
		{jwt.MapClaims{"groups": []string{"viewer", "minter"}}, bearer.RoleMinter},
		{jwt.MapClaims{"https://hookgate.example/roles": []string{"hooks-operators"}}, bearer.RoleAdmin},
		{jwt.MapClaims{"realm_access": map[string]any{"roles": []string{"hooks-operators"}}}, bearer.RoleAdmin},
	} {
		c.claims["tenant_id"] = tenantA.String()
		a := s.as(tokenFor(t, c.claims), "GET", "/v1/me", "")
		if got := fmt.Sprint(a.decode(t)["role"]); got != string(c.want) && (c.want != bearer.RoleNone || a.StatusCode != 403) {
			t.Errorf("%v: %s, want %s", c.claims, a.body, c.want)
		}
	}
}

// TestSecretsFollowEachOther: while a secret is replaced both verify.
func TestSecretsFollowEachOther(t *testing.T) {
	next := []byte("the next secret of 32 bytes ....")
	s := newServer(t, withJWT(func(c *bearer.Config) { c.Secrets = append(c.Secrets, next) }))
	for name, c := range map[string]struct {
		key  []byte
		want int
	}{"old": {secret, 200}, "new": {next, 200}, "another": {[]byte("another secret of thirty-two byte"), 401}} {
		who := "Bearer " + signed(t, jwt.SigningMethodHS256, claimsWith(nil), c.key)
		if a := s.as(who, "GET", callbacksPath, ""); a.StatusCode != c.want {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
}
