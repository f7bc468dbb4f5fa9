package admin_test

import (
	"strings"
	"testing"
)

// TestZeroDateIsNoWord for "never": some programs write it for a date that is not set,
// and a credential that was to end would not.
func TestZeroDateIsNoWord(t *testing.T) {
	s := newServer(t)
	const zero = `"expiresAt":"0001-01-01T00:00:00Z"`
	who := adminOf(t, tenantA)
	checkProblem(t, s.as(who, "POST", "/v1/credentials", `{"kind":"callback",`+zero+`}`), 422, "HKG-2422")
	id := s.expect(201, who, "POST", "/v1/credentials", `{"kind":"callback","expiresAt":"2127-01-02T03:04:05Z"}`).text(t, "id")
	checkProblem(t, s.as(who, "PATCH", "/v1/credentials/"+id, `{`+zero+`}`), 422, "HKG-2422")
	// A year 10000 in UTC, which RFC 3339 cannot say.
	for _, late := range []string{"9999-12-31T23:59:59-01:00", "9999-12-31T00:00:00.001Z"} {
		late = `"` + late + `"`
		checkProblem(t, s.as(who, "POST", "/v1/credentials", `{"kind":"callback","expiresAt":`+late+`}`), 422, "HKG-2422")
		checkProblem(t, s.as(who, "PATCH", "/v1/credentials/"+id, `{"expiresAt":`+late+`}`), 422, "HKG-2422")
		imported := s.must(200, who, "POST", "/v1/credentials/import", `{"credentials":[{"kind":"callback","digest":"`+strings.Repeat("ab", 32)+`","expiresAt":`+late+`}]}`)
		if line := imported.list(t, "results")[0]; line["code"] != "HKG-2422" {
			t.Errorf("an import until %s: %v", late, line)
		}
		s.must(400, who, "POST", "/rpc/create_api_credential_record", `{"_brand_id":"`+tenantA.String()+`","_name":"n","_client_id":"c","_client_secret_hash":"`+strings.Repeat("ab", 32)+`","_expires_at":`+late+`}`)
	}
	s.must(201, who, "POST", "/v1/credentials", `{"kind":"callback","expiresAt":"9999-12-31T00:00:00Z"}`)
	// The position before the first entry, which Redis takes for none.
	checkProblem(t, s.as(who, "GET", "/v1/audit?cursor=MC0w", ""), 422, "HKG-2422")
}
