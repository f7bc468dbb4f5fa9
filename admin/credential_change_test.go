package admin_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store"
)

func TestRotateWithGrace(t *testing.T) {
	s := newServer(t)
	admin := adminOf(t, tenantA)
	old := s.create(`{"kind":"callback","label":"jira","metadata":{"a":1},"allowedIps":["10.0.0.0/8"],"expiresAt":"2127-01-02T03:04:05Z"}`)
	path := credentialsPath + "/" + old.text(t, "id")
	fresh := s.expect(201, admin, "POST", path+"/rotate", `{"gracePeriodSeconds":3600,"reason":"yearly"}`)
	if fresh.Header.Get("Cache-Control") != "no-store" {
		t.Error("a token may be cached")
	}
	if s.standing(old.text(t, "token")) != keyring.Live || s.standing(fresh.text(t, "token")) != keyring.Live {
		t.Error("not both work")
	}
	retired := s.expect(200, admin, "GET", path, "").decode(t)
	if retired["status"] != "grace" || retired["supersededBy"] != fresh.text(t, "id") || retired["graceUntil"] == nil || retired["revokedAt"] != nil {
		t.Errorf("the old one: %v", retired)
	}
	for _, field := range []string{"kind", "label", "metadata", "allowedIps", "expiresAt"} {
		if fmt.Sprint(fresh.decode(t)[field]) != fmt.Sprint(old.decode(t)[field]) {
			t.Errorf("%s became %v", field, fresh.decode(t)[field])
		}
	}
	if fresh.text(t, "supersedes") != old.text(t, "id") || fresh.decode(t)["rotatedAt"] == nil {
		t.Errorf("the new one: %s", fresh.body)
	}

	successor := credentialsPath + "/" + fresh.text(t, "id")
	for _, body := range []string{"", "{}", `{"gracePeriodSeconds":60}`, `{"force":false}`} {
		checkProblem(t, s.expect(409, admin, "POST", successor+"/rotate", body), 409, "HKG-2008")
	}
	for _, body := range []string{"", `{"force":true}`} {
		checkProblem(t, s.expect(409, admin, "POST", path+"/rotate", body), 409, "HKG-2008")
	}
	checkProblem(t, s.expect(409, admin, "POST", callbacksPath+"/"+fresh.text(t, "id")+"/rotate", ""), 409, "HKG-2008")
	third := s.expect(201, admin, "POST", successor+"/rotate", `{"force":true,"gracePeriodSeconds":60}`)
	if s.standing(old.text(t, "token")) != keyring.Revoked || s.standing(fresh.text(t, "token")) != keyring.Live {
		t.Error("force did not end the grace that was open, or more than that")
	}

	finished := s.expect(200, admin, "POST", credentialsPath+"/"+third.text(t, "id")+"/finish", `{"reason":"leaked"}`)
	if finished.text(t, "id") != fresh.text(t, "id") || finished.text(t, "status") != "revoked" || s.standing(fresh.text(t, "token")) != keyring.Revoked {
		t.Errorf("finished %s", finished.body)
	}
	for _, id := range []string{third.text(t, "id"), fresh.text(t, "id"), old.text(t, "id")} {
		checkProblem(t, s.expect(409, admin, "POST", credentialsPath+"/"+id+"/finish", ""), 409, "HKG-2009")
	}
	checkProblem(t, s.expect(409, admin, "POST", successor+"/rotate", ""), 409, "HKG-2003")
	s.expect(201, admin, "POST", credentialsPath+"/"+third.text(t, "id")+"/rotate", "")
	if s.standing(third.text(t, "token")) != keyring.Revoked {
		t.Error("a rotation without grace left the old token alive")
	}
}

// TestRevokedSuccessor: who revokes the new credential of a rotation ends that one alone.
func TestRevokedSuccessor(t *testing.T) {
	s := newServer(t)
	admin := adminOf(t, tenantA)
	old := s.create(`{"kind":"callback"}`)
	path := credentialsPath + "/" + old.text(t, "id")
	fresh := s.expect(201, admin, "POST", path+"/rotate", `{"gracePeriodSeconds":3600}`)
	successor := credentialsPath + "/" + fresh.text(t, "id")
	s.expect(200, admin, "POST", successor+"/revoke", `{"reason":"leaked"}`)
	if s.standing(fresh.text(t, "token")) != keyring.Revoked || s.standing(old.text(t, "token")) != keyring.Live {
		t.Error("not the new one alone is revoked")
	}
	if status := s.expect(200, admin, "GET", path, "").text(t, "status"); status != "grace" {
		t.Errorf("the old one is in status %s", status)
	}
	s.expect(200, admin, "POST", path+"/revoke", "")
	if s.standing(old.text(t, "token")) != keyring.Revoked {
		t.Error("the old one cannot be revoked")
	}
}

func TestRotateBodies(t *testing.T) {
	s := newServer(t)
	admin := adminOf(t, tenantA)
	callback := credentialsPath + "/" + s.create(`{"kind":"callback"}`).text(t, "id") + "/rotate"
	api := credentialsPath + "/" + s.create(apiBody("billing", "one")).text(t, "id") + "/rotate"
	for _, c := range []struct{ path, body, says string }{
		{callback, `{"gracePeriodSeconds":-1}`, "body.gracePeriodSeconds"},
		{callback, `{"gracePeriodSeconds":604801}`, "body.gracePeriodSeconds"},
		{callback, `{"gracePeriodSeconds":1.5}`, "body.gracePeriodSeconds"},
		{callback, `{"gracePeriodSeconds":"60"}`, "body.gracePeriodSeconds"},
		{callback, `{"force":"yes"}`, "body.force"},
		{callback, `{"reason":"a\nb"}`, "body.reason"},
		{callback, `{"reason":"` + strings.Repeat("x", 257) + `"}`, "body.reason"},
		{callback, `{"grace":60}`, "body.grace"},
		{callback, `{"secretHash":"` + hashOf("x") + `"}`, "only an api credential"},
		{api, ``, "secret hash is missing"},
		{api, `{}`, "secret hash is missing"},
		{api, `{"secretHash":"x"}`, "body.secretHash"},
		{api, `{"secretHash":"` + hashOf("one") + `"}`, "used for this client id before"},
	} {
		a := s.expect(422, admin, "POST", c.path, c.body)
		checkProblem(t, a, 422, "HKG-2422")
		if !strings.Contains(string(a.body), c.says) {
			t.Errorf("%s: the answer does not say %q: %s", c.body, c.says, a.body)
		}
	}
	a := s.expect(201, admin, "POST", api, `{"secretHash":"sha256:`+hashOf("two")+`","gracePeriodSeconds":604800}`)
	if a.text(t, "token") != "" || a.text(t, "clientId") != "billing" {
		t.Errorf("rotated %s", a.body)
	}
	if s.apiStanding("billing", "one") != keyring.Live || s.apiStanding("billing", "two") != keyring.Live {
		t.Error("not both secrets work")
	}
}

func TestPatch(t *testing.T) {
	s := newServer(t)
	admin := adminOf(t, tenantA)
	made := s.create(`{"kind":"callback","label":"one","allowedIps":["10.0.0.0/8"],"expiresAt":"2127-01-02T03:04:05Z"}`)
	path := credentialsPath + "/" + made.text(t, "id")
	want := kept(made.decode(t))
	for _, c := range []struct {
		body string
		set  map[string]any
	}{
		{`{}`, nil},
		{`{"label":"two"}`, map[string]any{"label": "two"}},
		{`{"expiresAt":"2128-01-02T03:04:05.9999Z"}`, map[string]any{"expiresAt": "2128-01-02T03:04:05.999Z"}},
		{`{"allowedIps":["203.0.113.7","::1"]}`, map[string]any{"allowedIps": []any{"203.0.113.7", "::1"}}},
		{`{"allowedIps":[]}`, map[string]any{"allowedIps": nil}},
		{`{"allowedIps":["203.0.113.7"],"label":""}`, map[string]any{"allowedIps": []any{"203.0.113.7"}, "label": nil}},
		{`{"metadata":{"a":{"b":1},"n":12345678901234567890}}`, map[string]any{"metadata": map[string]any{"a": map[string]any{"b": 1.0}, "n": 12345678901234567890.0}}},
		{`{"metadata":{"a":{"b":null,"c":2},"n":null}}`, map[string]any{"metadata": map[string]any{"a": map[string]any{"c": 2.0}}}},
		{`{"metadata":null,"scopes":[]}`, map[string]any{"metadata": nil}},
		{`{"allowedIps":null,"expiresAt":null,"label":null}`, map[string]any{"allowedIps": nil, "expiresAt": nil}},
	} {
		for field, value := range c.set {
			if want[field] = value; value == nil {
				delete(want, field)
			}
		}
		for _, mediaType := range []string{"application/json", "application/merge-patch+json"} {
			a := s.expect(200, admin, "PATCH", path, c.body, "Content-Type", mediaType)
			if fmt.Sprint(a.decode(t)) != fmt.Sprint(want) {
				t.Errorf("%s: got %v\nwant %v", c.body, a.decode(t), want)
			}
		}
		if got := s.expect(200, admin, "GET", path, "").decode(t); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: stored %v", c.body, got)
		}
	}
	for _, body := range []string{
		`{"kind":"api"}`, `{"tenant":"x"}`, `{"metadata":[]}`, `{"scopes":["products:read"]}`, `{"metadata":{"x":"` + strings.Repeat("x", 4096) + `"}}`, `{"Label":"x"}`, `{"label":7}`, `{"label":"` + strings.Repeat("x", 129) + `"}`,
		`{"expiresAt":"2020-01-02T03:04:05Z"}`, `{"expiresAt":""}`, `{"allowedIps":["10.0.0.1/8"]}`, `{"allowedIps":{}}`, `[]`, `null`,
	} {
		checkProblem(t, s.expect(422, admin, "PATCH", path, body), 422, "HKG-2422")
	}
	checkProblem(t, s.expect(415, admin, "PATCH", path, `[]`, "Content-Type", "application/json-patch+json"), 415, "HKG-2415")
	checkProblem(t, s.expect(400, admin, "PATCH", path, ""), 400, "HKG-2400")
	if got := s.expect(200, admin, "GET", path, "").decode(t); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("a refused patch changed %v to %v", want, got)
	}
	s.expect(204, admin, "DELETE", path, "")
	checkProblem(t, s.expect(409, admin, "PATCH", path, `{"label":"x"}`), 409, "HKG-2003")
	checkProblem(t, s.expect(409, admin, "PATCH", path, `{}`), 409, "HKG-2003")
}

// TestPatchScopes: the keyring has the new scopes before the answer is read, and the audit
// log what they were.
func TestPatchScopes(t *testing.T) {
	s := newServer(t)
	admin := adminOf(t, tenantA)
	made := s.create(`{"kind":"api","clientId":"billing","secretHash":"` + hashOf("one") + `","scopes":["orders:read"],"metadata":{"owner":"ops"}}`)
	path := credentialsPath + "/" + made.text(t, "id")
	for body, want := range map[string]string{
		`{"scopes":["products:read","orders:write","products:read"]}`: "[orders:write products:read]",
		`{"scopes":null}`:            "[]",
		`{"scopes":["orders:read"]}`: "[orders:read]",
	} {
		s.expect(200, admin, "PATCH", path, body)
		key, _ := s.store.Keyring().Lookup(credential.DigestAPISecret("billing", sha256.Sum256([]byte("one"))))
		if got := fmt.Sprint(key.Scopes); got != want {
			t.Errorf("%s: the keyring has %s", body, got)
		}
	}
	for _, body := range []string{`{"scopes":["a b"]}`, `{"scopes":[""]}`, `{"scopes":"a"}`, `{"scopes":[` + strings.Repeat(`"a",`, 64) + `"b"]}`} {
		checkProblem(t, s.expect(422, admin, "PATCH", path, body), 422, "HKG-2422")
	}
	s.expect(200, admin, "PATCH", path, `{"scopes":["x"],"metadata":{"owner":null}}`)
	entry := s.expect(200, admin, "GET", "/v1/audit?action=update&limit=1", "").list(t, "entries")[0]
	changes := entry["changes"].(map[string]any)
	if got := fmt.Sprint(changes["scopes"].(map[string]any)["to"], changes["metadata"]); got != "[x] map[from:map[owner:ops] to:map[]]" {
		t.Errorf("audit log: %v", got)
	}
}

func TestExpiresBefore(t *testing.T) {
	s := newServer(t)
	admin := adminOf(t, tenantA)
	soon := s.create(`{"kind":"callback","expiresAt":"2127-01-02T03:04:05Z"}`)
	s.create(`{"kind":"callback","expiresAt":"2127-01-03T03:04:05Z"}`)
	s.create(`{"kind":"callback"}`)
	revoked := s.create(`{"kind":"callback","expiresAt":"2127-01-02T03:04:05Z"}`)
	s.expect(204, admin, "DELETE", credentialsPath+"/"+revoked.text(t, "id"), "")
	s.expect(200, admin, "POST", credentialsPath+"/"+soon.text(t, "id")+"/disable", "")
	for before, want := range map[string]int{"2127-01-02T03:04:05Z": 0, "2127-01-02T03:04:05.001Z": 1, "2127-01-02T04:04:05.5%2B01:00": 1, "2127-01-04T00:00:00Z": 2} {
		if got := s.expect(200, admin, "GET", credentialsPath+"?expiresBefore="+before, "").list(t, "credentials"); len(got) != want {
			t.Errorf("before %s: %v", before, got)
		}
	}
	checkProblem(t, s.expect(422, admin, "GET", credentialsPath+"?expiresBefore=soon", ""), 422, "HKG-2422")
}

func TestRevokeAndDelete(t *testing.T) {
	s := newServer(t)
	admin := adminOf(t, tenantA)
	made := s.create(`{"kind":"webhook","vendor":"pluggy","connection":"main"}`)
	path := credentialsPath + "/" + made.text(t, "id")
	first := s.expect(200, admin, "POST", path+"/revoke", `{"reason":"leaked"}`)
	if first.text(t, "status") != "revoked" || first.text(t, "revokedAt") == "" || s.standing(made.text(t, "token")) != keyring.Revoked {
		t.Errorf("revoked %s", first.body)
	}
	again := s.expect(200, admin, "POST", path+"/revoke", "")
	s.expect(204, admin, "DELETE", path, "")
	if string(again.body) != string(first.body) {
		t.Errorf("revoking again changed %s to %s", first.body, again.body)
	}
	if got := s.expect(200, viewerOf(t, tenantA), "GET", path, ""); string(got.body) != string(first.body) {
		t.Errorf("deleting changed %s to %s", first.body, got.body)
	}
}

// TestFacadesKnowNoGrace: they show a credential whose grace has ended as revoked then.
func TestFacadesKnowNoGrace(t *testing.T) {
	var offset time.Duration
	var mu sync.Mutex
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(offset)
	}
	s := newServerOn(t, newStore(t, store.Config{EmbeddedDir: t.TempDir(), Namespace: "hookgate", Clock: clock}))
	admin := adminOf(t, tenantA)
	callback := s.create(`{"kind":"callback"}`)
	webhook := s.create(`{"kind":"webhook","vendor":"pluggy","connection":"main"}`)
	for _, made := range []answer{callback, webhook} {
		s.expect(201, admin, "POST", credentialsPath+"/"+made.text(t, "id")+"/rotate", `{"gracePeriodSeconds":60}`)
	}
	revoked := func() (ends []any) {
		callbacks := s.expect(200, admin, "GET", callbacksPath, "").list(t, "credentials")
		tokens := s.expect(200, admin, "GET", tokensPath, "").list(t, "tokens")
		return []any{callbacks[1]["revokedAt"], tokens[1]["revoked_at"]}
	}
	if got := revoked(); got[0] != nil || got[1] != nil {
		t.Errorf("in their grace they are revoked: %v", got)
	}
	until := func(made answer) any {
		return s.expect(200, admin, "GET", credentialsPath+"/"+made.text(t, "id"), "").decode(t)["graceUntil"]
	}
	want := []any{until(callback), until(webhook)}
	mu.Lock()
	offset = time.Hour
	mu.Unlock()
	if got := revoked(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("revoked at %v, want %v", got, want)
	}
	if status := s.expect(200, admin, "GET", credentialsPath+"/"+callback.text(t, "id"), "").text(t, "status"); status != "expired" {
		t.Errorf("status %q after the grace", status)
	}
}

// TestForeignIDsOnEveryRoute: on no route does an answer tell another tenant's id
// from one that never was.
func TestForeignIDsOnEveryRoute(t *testing.T) {
	s := newServer(t)
	ids := []string{uuid.NewString(), uuid.Nil.String()}
	for _, body := range []string{`{"kind":"callback"}`, `{"kind":"webhook","vendor":"pluggy","connection":"main"}`, apiBody("billing", "one")} {
		ids = append(ids, s.create(body).text(t, "id"))
	}
	before := string(s.must(200, adminOf(t, tenantA), "GET", credentialsPath, "").body)
	stranger := adminOf(t, tenantB)
	for _, route := range []struct{ method, path, body string }{
		{"GET", "", ""},
		{"DELETE", "", ""},
		{"PATCH", "", `{"label":"x"}`},
		{"PATCH", "", `{}`},
		{"POST", "/rotate", ""},
		{"POST", "/rotate", `{"secretHash":"` + hashOf("two") + `","force":true,"gracePeriodSeconds":60}`},
		{"POST", "/finish", ""},
		{"POST", "/revoke", `{"reason":"x"}`},
	} {
		var want string
		for _, id := range ids {
			a := s.expect(404, stranger, route.method, credentialsPath+"/"+id+route.path, route.body)
			checkProblem(t, a, 404, "HKG-2002")
			body := strings.ReplaceAll(string(a.body), a.Header.Get("X-Request-Id"), "ID")
			if want == "" {
				want = body
			}
			if body != want {
				t.Errorf("%s %s: %s, and for nobody's %s", route.method, route.path, body, want)
			}
		}
	}
	for _, id := range ids {
		if entries := s.expect(200, stranger, "GET", "/v1/audit?credentialId="+id, "").list(t, "entries"); len(entries) != 0 {
			t.Errorf("the stranger reads %v", entries)
		}
	}
	for _, path := range []string{credentialsPath, "/v1/audit"} {
		if a := s.expect(200, stranger, "GET", path, ""); strings.Contains(string(a.body), "id") {
			t.Errorf("%s: the stranger sees %s", path, a.body)
		}
	}
	if after := string(s.must(200, adminOf(t, tenantA), "GET", credentialsPath, "").body); after != before {
		t.Errorf("the stranger changed something:\n%s\n%s", before, after)
	}
}
