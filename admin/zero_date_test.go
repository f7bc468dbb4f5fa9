package admin_test

import "testing"

// TestZeroDateIsNoWord for "never": some programs write it for a date that is not set,
// and a credential that was to end would not.
func TestZeroDateIsNoWord(t *testing.T) {
	s := newServer(t)
	const zero = `"expiresAt":"0001-01-01T00:00:00Z"`
	who := adminOf(t, tenantA)
	checkProblem(t, s.as(who, "POST", "/v1/credentials", `{"kind":"callback",`+zero+`}`), 422, "HKG-2422")
	id := s.expect(201, who, "POST", "/v1/credentials", `{"kind":"callback","expiresAt":"2127-01-02T03:04:05Z"}`).text(t, "id")
	checkProblem(t, s.as(who, "PATCH", "/v1/credentials/"+id, `{`+zero+`}`), 422, "HKG-2422")
	// The position before the first entry, which Redis takes for none.
	checkProblem(t, s.as(who, "GET", "/v1/audit?cursor=MC0w", ""), 422, "HKG-2422")
}
