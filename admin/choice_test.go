package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/admin/bearer"
)

// of sends a request that chooses a tenant.
func (s *server) of(tenant, authorization, method, path, body string) answer {
	s.t.Helper()
	r := request(method, path, body)
	r.Header.Set("Authorization", authorization)
	r.Header[http.CanonicalHeaderKey(api.TenantHeader)] = strings.Fields(tenant)
	return s.send(r)
}

// TestChoiceOfTenant: somebody who may act for several says for which one, and never
// reaches one that the token does not name.
func TestChoiceOfTenant(t *testing.T) {
	a, b, c := tenantA.String(), tenantB.String(), uuid.NewString()
	both, one := []string{a, b}, []string{a}
	dashless := strings.ReplaceAll(b, "-", "")
	for name, test := range map[string]struct {
		claim  any
		header string
		want   string // the tenant, or "" for a refusal
	}{
		"first of two":             {both, a, a},
		"second of two":            {both, b, b},
		"in another spelling":      {both, strings.ToUpper(dashless), b},
		"none of two":              {both, "", ""},
		"a third":                  {both, c, ""},
		"no tenant":                {both, "acme", ""},
		"the nil tenant":           {both, uuid.Nil.String(), ""},
		"two headers":              {both, a + " " + b, ""},
		"the same header twice":    {both, a + " " + a, ""},
		"a list of one":            {one, "", a},
		"that one":                 {one, a, a},
		"another than that one":    {one, b, ""},
		"one that is named twice":  {[]string{a, strings.ReplaceAll(a, "-", "")}, "", a},
		"a text, and itself":       {a, a, a},
		"a text, and another":      {a, b, ""},
		"a default, and itself":    {nil, a, a},
		"a default, and another":   {nil, b, ""},
		"an empty list, a default": {[]string{}, a, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, withJWT(func(c *bearer.Config) { c.DefaultTenant = tenantA }))
			who := hs256(t, jwt.MapClaims{"tenant_id": test.claim})
			got := s.of(test.header, who, "POST", callbacksPath, `{}`)
			record := s.of(test.header, who, "POST", createRecord, newRecord("a", "a"))
			switch test.want {
			case "none":
				checkProblem(t, got, 403, "HKG-2001")
				return
			case "":
				checkProblem(t, got, 403, "HKG-2021")
				if record.StatusCode != 403 || record.text(t, "code") != "42501" {
					t.Errorf("MintID: %d %s", record.StatusCode, record.body)
				}
				return
			}
			if got.StatusCode != 201 {
				t.Fatalf("%d %s", got.StatusCode, got.body)
			}
			// MintID's _brand_id is tenant A: it has to be the tenant that was chosen.
			if want := map[bool]int{true: 200, false: 403}[test.want == a]; record.StatusCode != want {
				t.Errorf("MintID: %d %s", record.StatusCode, record.body)
			}
			for _, tenant := range []string{a, b} {
				list := s.must(200, adminOf(t, uuid.MustParse(tenant)), "GET", callbacksPath, "").list(t, "credentials")
				if (len(list) == 1) != (tenant == test.want) {
					t.Errorf("tenant %s has %v", tenant, list)
				}
			}
		})
	}
}

// TestWhoAmI: what one needs to know to choose.
func TestWhoAmI(t *testing.T) {
	s := newServer(t)
	who := hs256(t, jwt.MapClaims{"tenant_id": []string{tenantA.String(), tenantB.String()}, "sub": "alice", "roles": "viewer"})
	const both = `"tenants":["0b5cf6a2-6a3d-4c52-9a2b-2f1d7c9e4a01","0b5cf6a2-6a3d-4c52-9a2b-2f1d7c9e4a02"],"expiresAt":"2026-01-02T04:04:05Z"}`
	for header, want := range map[string]string{
		"":               `{"subject":"alice","role":"viewer",` + both,
		tenantB.String(): `{"subject":"alice","role":"viewer","tenant":"` + tenantB.String() + `",` + both,
	} {
		got := s.of(header, who, "GET", "/v1/me", "")
		if got.StatusCode != 200 || strings.TrimSpace(string(got.body)) != want || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: %d %s", header, got.StatusCode, got.body)
		}
	}
	checkProblem(t, s.of(uuid.NewString(), who, "GET", "/v1/me", ""), 403, "HKG-2021")
	checkProblem(t, s.of("", hs256(t, jwt.MapClaims{"roles": "intern"}), "GET", "/v1/me", ""), 403, "HKG-2403")
	if got := fmt.Sprint(s.refusals(adminOf(t, tenantA))); got != "[<nil> whoAmI HKG-2403]" {
		t.Errorf("audited: %s", got)
	}
}
