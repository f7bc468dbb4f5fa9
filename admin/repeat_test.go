package admin_test

import (
	"strings"
	"testing"
)

func TestRepeatedRequests(t *testing.T) {
	s := newServer(t)
	admin := adminOf(t, tenantA)
	first := s.expect(201, admin, "POST", credentialsPath, `{"kind":"callback","label":"x"}`, "Idempotency-Key", "one")
	for _, body := range []string{`{"kind":"callback","label":"x"}`, "{ \"label\": \"\\u0078\",\n\"kind\":\"callback\"}"} {
		again := s.expect(200, admin, "POST", credentialsPath, body, "Idempotency-Key", "one")
		want := kept(first.decode(t))
		if again.Header.Get("Idempotency-Replayed") != "true" || again.Header.Get("Cache-Control") != "no-store" || fieldNames(again.decode(t)) != fieldNames(want) || again.text(t, "id") != first.text(t, "id") {
			t.Errorf("replayed %v\n%s", again.Header, again.body)
		}
	}
	checkProblem(t, s.expect(409, admin, "POST", credentialsPath, `{"kind":"callback","label":"y"}`, "Idempotency-Key", "one"), 409, "HKG-2011")
	checkProblem(t, s.expect(409, admin, "POST", callbacksPath, `{}`, "Idempotency-Key", "one"), 409, "HKG-2011")
	s.expect(201, adminOf(t, tenantB), "POST", credentialsPath, `{"kind":"callback","label":"y"}`, "Idempotency-Key", "one")
	s.expect(201, admin, "POST", credentialsPath, `{"kind":"callback","label":"x"}`, "Idempotency-Key", "One")

	rotate := credentialsPath + "/" + first.text(t, "id") + "/rotate"
	second := s.expect(201, admin, "POST", rotate, "", "Idempotency-Key", "two")
	for _, body := range []string{"", "{}"} {
		if again := s.expect(200, admin, "POST", rotate, body, "Idempotency-Key", "two"); again.text(t, "id") != second.text(t, "id") || again.text(t, "token") != "" {
			t.Errorf("replayed %s", again.body)
		}
	}
	checkProblem(t, s.expect(409, admin, "POST", rotate, `{"force":true}`, "Idempotency-Key", "two"), 409, "HKG-2011")
	checkProblem(t, s.expect(409, admin, "POST", credentialsPath+"/"+second.text(t, "id")+"/rotate", "", "Idempotency-Key", "two"), 409, "HKG-2011")
	if list := s.must(200, admin, "GET", credentialsPath, "").list(t, "credentials"); len(list) != 3 {
		t.Errorf("%d credentials", len(list))
	}
}

// TestRepeatedRequestsOfTheFacades: their answer would have to show a token that is
// gone, so the problem says which credential has it.
func TestRepeatedRequestsOfTheFacades(t *testing.T) {
	s := newServer(t)
	admin := adminOf(t, tenantA)
	check := func(path, body, key string) string {
		t.Helper()
		s.expect(201, admin, "POST", path, body, "Idempotency-Key", key)
		newest := s.must(200, admin, "GET", credentialsPath+"?limit=1", "").list(t, "credentials")[0]["id"].(string)
		a := s.expect(409, admin, "POST", path, body, "Idempotency-Key", key)
		checkProblem(t, a, 409, "HKG-2012")
		if !strings.Contains(string(a.body), newest) {
			t.Errorf("%s: the answer does not name %s: %s", path, newest, a.body)
		}
		return newest
	}
	callback := check(callbacksPath, `{"externalSystem":"jira"}`, "a")
	check(callbacksPath+"/"+callback+"/rotate", "", "b")
	webhook := check(tokensPath, mintPluggy, "c")
	check(tokensPath+"/"+webhook+"/rotate", "", "d")
}

func TestIdempotencyKeys(t *testing.T) {
	s := newServer(t)
	admin := adminOf(t, tenantA)
	for _, key := range []string{"", "ключ", "a\x7f", strings.Repeat("k", 256)} {
		checkProblem(t, s.expect(422, admin, "POST", credentialsPath, `{"kind":"callback"}`, "Idempotency-Key", key), 422, "HKG-2422")
	}
	r := request("POST", callbacksPath, `{}`)
	r.Header.Set("Authorization", admin)
	r.Header["Idempotency-Key"] = []string{"a", "b"}
	checkProblem(t, s.send(r), 422, "HKG-2422")
	s.expect(201, admin, "POST", credentialsPath, `{"kind":"callback"}`, "Idempotency-Key", strings.Repeat("k", 255))
	// What makes nothing needs no key, and does not use one up.
	id := s.must(200, admin, "GET", credentialsPath, "").list(t, "credentials")[0]["id"].(string)
	s.expect(204, admin, "DELETE", credentialsPath+"/"+id, "", "Idempotency-Key", "free")
	s.expect(201, admin, "POST", credentialsPath, `{"kind":"callback"}`, "Idempotency-Key", "free")
}
