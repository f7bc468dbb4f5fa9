package admin_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
)

const (
	createRecord = "/rest/v1/rpc/create_api_credential_record"
	revokeRecord = "/rest/v1/rpc/revoke_api_credential_record"
	rotateRecord = "/rest/v1/rpc/rotate_api_credential_secret_record"
)

// arguments returns a call's body: the given names and values, a nil value for null.
func arguments(pairs ...any) string {
	object := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		object[pairs[i].(string)] = pairs[i+1]
	}
	text, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func newRecord(clientID, secret string, more ...any) string {
	return arguments(append([]any{
		"_brand_id", tenantA.String(), "_name", "Billing", "_client_id", clientID, "_client_secret_hash", hashOf(secret),
	}, more...)...)
}

// ok calls a function and expects exactly what MintID documents.
func (s *server) ok(path, body string) {
	s.t.Helper()
	a := s.expect(200, adminOf(s.t, tenantA), "POST", path, body)
	if string(a.body) != `{"ok": true}` || a.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		s.t.Errorf("%s: %q as %s", path, a.body, a.Header.Get("Content-Type"))
	}
}

// apiStanding returns what the keyring makes of a client id and secret.
func (s *server) apiStanding(clientID, secret string) keyring.Standing {
	_, standing := s.store.Keyring().Lookup(credential.DigestAPISecret(clientID, sha256.Sum256([]byte(secret))))
	return standing
}

// record returns the newest api credential as the resource API shows it.
func (s *server) record() map[string]any {
	s.t.Helper()
	return s.expect(200, adminOf(s.t, tenantA), "GET", credentialsPath+"?kind=api&limit=1", "").list(s.t, "credentials")[0]
}

func TestAPICredentialRecord(t *testing.T) {
	s := newServer(t)
	s.ok(createRecord, newRecord("billing", "one", "_scopes", []string{"products:read"}, "_metadata", map[string]any{"owner": "x"}, "_expires_at", "2127-01-02T03:04:05Z"))
	made := s.record()
	id := made["id"].(string)
	if made["label"] != "Billing" || made["clientId"] != "billing" || made["status"] != "active" || made["expiresAt"] != "2127-01-02T03:04:05Z" ||
		fmt.Sprint(made["scopes"], made["metadata"]) != "[products:read] map[owner:x]" {
		t.Errorf("made %v", made)
	}
	if s.apiStanding("billing", "one") != keyring.Live {
		t.Error("the secret does not work")
	}

	s.ok("/rest/v1/rpc/rotate_api_credential_secret_record", arguments(
		"_brand_id", strings.ToUpper(strings.ReplaceAll(tenantA.String(), "-", "")), "_credential_id", id,
		"_new_secret_hash", "SHA256:"+strings.ToUpper(hashOf("two")), "_reason", "yearly"))
	if s.apiStanding("billing", "one") != keyring.Revoked || s.apiStanding("billing", "two") != keyring.Live {
		t.Error("the secret was not replaced")
	}
	rotated := s.record()
	if rotated["rotatedAt"] == nil || rotated["revokedAt"] != nil {
		t.Errorf("after the rotation: %v", rotated)
	}
	delete(rotated, "rotatedAt")
	if fmt.Sprint(rotated) != fmt.Sprint(made) {
		t.Errorf("the rotation changed more than the secret:\n%v\n%v", rotated, made)
	}

	revocation := arguments("_brand_id", tenantA.String(), "_credential_id", id, "_reason", "left")
	s.ok(revokeRecord, revocation)
	first := s.record()
	if s.apiStanding("billing", "two") != keyring.Revoked || first["status"] != "revoked" {
		t.Errorf("after the revocation: %v", first)
	}
	s.ok(revokeRecord, revocation)
	if again := s.record(); again["revokedAt"] != first["revokedAt"] {
		t.Errorf("revokedAt moved: %v", again)
	}
	again := s.must(200, adminOf(t, tenantA), "POST", "/rpc/create_api_credential_record", newRecord("billing", "three", "_scopes", nil, "_metadata", nil, "_expires_at", nil))
	if string(again.body) != `{"ok": true}` || s.apiStanding("billing", "three") != keyring.Live {
		t.Errorf("the client id of a revoked credential: %s", again.body)
	}

	var actions []string
	for _, e := range s.expect(200, viewerOf(t, tenantA), "GET", "/v1/audit?credentialId="+id, "").list(t, "entries") {
		actions = append(actions, fmt.Sprint(e["action"], " ", e["reason"]))
	}
	if fmt.Sprint(actions) != "[revoke left rotate yearly mint <nil>]" {
		t.Errorf("audit log: %v", actions)
	}
}

// TestRPCErrors: every refusal has PostgREST's status, code and four keys, and
// changes nothing.
func TestRPCErrors(t *testing.T) {
	s := newServer(t)
	admin := adminOf(t, tenantA)
	s.ok(createRecord, newRecord("taken", "one"))
	id := s.record()["id"].(string)
	s.ok(createRecord, newRecord("gone", "gone"))
	gone := s.record()["id"].(string)
	s.ok(revokeRecord, arguments("_brand_id", tenantA.String(), "_credential_id", gone))
	callback := s.create(`{"kind":"callback"}`).text(t, "id")
	before := string(s.must(200, admin, "GET", credentialsPath, "").body)

	expired := tokenFor(t, jwt.MapClaims{"tenant_id": tenantA.String(), "role": "admin", "exp": now.Add(-time.Minute).Unix()})
	early := tokenFor(t, jwt.MapClaims{"tenant_id": tenantA.String(), "role": "admin", "nbf": now.Add(time.Hour).Unix()})
	forged := "Bearer " + signed(t, jwt.SigningMethodHS256, jwt.MapClaims{"tenant_id": tenantA.String(), "role": "admin", "exp": now.Add(time.Hour).Unix()}, []byte("another secret"))
	homeless := tokenFor(t, jwt.MapClaims{"role": "admin"})
	brand := tenantA.String()
	rotation := func(id, secret string) string {
		return arguments("_brand_id", brand, "_credential_id", id, "_new_secret_hash", secret)
	}
	revocation := func(id string) string { return arguments("_brand_id", brand, "_credential_id", id) }
	const (
		invalid = "P0001"
		names   = "PGRST202"
	)
	for _, c := range []struct {
		name, who, path, body string
		status                int
		code, says            string
	}{
		{"no token", "", createRecord, newRecord("a", "a"), 401, "PGRST302", "Anonymous access is disabled"},
		{"another scheme", "Basic YTpi", createRecord, newRecord("a", "a"), 401, "PGRST302", ""},
		{"no JWT", "Bearer x", createRecord, newRecord("a", "a"), 401, "PGRST301", "not a JWT"},
		{"forged", forged, createRecord, newRecord("a", "a"), 401, "PGRST301", "signature"},
		{"expired", expired, createRecord, newRecord("a", "a"), 401, "PGRST303", "JWT expired"},
		{"not valid yet", early, createRecord, newRecord("a", "a"), 401, "PGRST303", ""},
		{"no tenant", homeless, createRecord, newRecord("a", "a"), 403, "42501", "no tenant"},
		{"viewer", viewerOf(t, tenantA), createRecord, newRecord("a", "a"), 403, "42501", "role"},
		{"viewer revokes", viewerOf(t, tenantA), revokeRecord, revocation(id), 403, "42501", "role"},
		{"viewer rotates", viewerOf(t, tenantA), rotateRecord, rotation(id, hashOf("b")), 403, "42501", "role"},
		{"another brand", adminOf(t, tenantB), createRecord, newRecord("a", "a"), 403, "42501", "_brand_id"},
		{"another brand revokes", adminOf(t, tenantB), revokeRecord, revocation(id), 403, "42501", "_brand_id"},
		{"another brand rotates", adminOf(t, tenantB), rotateRecord, rotation(id, hashOf("b")), 403, "42501", "_brand_id"},

		{"empty body", admin, createRecord, "", 400, "PGRST102", "Empty or invalid json"},
		{"cut off", admin, createRecord, `{"_brand_id":`, 400, "PGRST102", ""},
		{"list", admin, createRecord, `[]`, 400, "PGRST102", ""},
		{"null", admin, createRecord, `null`, 400, "PGRST102", ""},
		{"two documents", admin, createRecord, `{}{}`, 400, "PGRST102", ""},
		{"duplicate name", admin, revokeRecord, `{"_brand_id":"a","_brand_id":"b","_credential_id":"c"}`, 400, "PGRST102", "duplicate"},
		{"too large", admin, createRecord, newRecord("a", "a", "_metadata", map[string]any{"a": strings.Repeat("x", 64<<10)}), 413, "HKG-2413", ""},

		{"nothing", admin, createRecord, `{}`, 404, names, "public.create_api_credential_record() in the schema cache"},
		{"argument missing", admin, createRecord, arguments("_brand_id", brand, "_name", "x", "_client_id", "a"), 404, names, "public.create_api_credential_record(_brand_id, _client_id, _name)"},
		{"argument too many", admin, revokeRecord, arguments("_brand_id", brand, "_credential_id", id, "force", true), 404, names, "(_brand_id, _credential_id, force)"},
		{"argument in case", admin, revokeRecord, arguments("_Brand_id", brand, "_credential_id", id), 404, names, ""},
		{"camelCase", admin, revokeRecord, arguments("brandId", brand, "credentialId", id), 404, names, ""},

		{"brand null", admin, createRecord, newRecord("a", "a", "_brand_id", nil), 400, invalid, "_brand_id"},
		{"brand no UUID", admin, createRecord, newRecord("a", "a", "_brand_id", "acme"), 400, invalid, "_brand_id"},
		{"brand number", admin, createRecord, newRecord("a", "a", "_brand_id", 7), 400, invalid, "_brand_id has the wrong type"},
		{"name null", admin, createRecord, newRecord("a", "a", "_name", nil), 400, invalid, "_name is missing"},
		{"name empty", admin, createRecord, newRecord("a", "a", "_name", ""), 400, invalid, "_name is missing"},
		{"name too long", admin, createRecord, newRecord("a", "a", "_name", strings.Repeat("x", 129)), 400, invalid, "128 characters"},
		{"name with control", admin, createRecord, newRecord("a", "a", "_name", "a\nb"), 400, invalid, ""},
		{"client id empty", admin, createRecord, newRecord("", "a"), 400, invalid, "client id"},
		{"client id with colon", admin, createRecord, newRecord("a:b", "a"), 400, invalid, "client id"},
		{"hash null", admin, createRecord, newRecord("a", "a", "_client_secret_hash", nil), 400, invalid, "secret hash is missing"},
		{"hash short", admin, createRecord, newRecord("a", "a", "_client_secret_hash", "abcd"), 400, invalid, "_client_secret_hash"},
		{"hash of another kind", admin, createRecord, newRecord("a", "a", "_client_secret_hash", "sha512:"+hashOf("a")), 400, invalid, "_client_secret_hash"},
		{"the secret itself", admin, createRecord, newRecord("a", "a", "_client_secret_hash", "correct horse battery staple"), 400, invalid, "_client_secret_hash"},
		{"scopes as text", admin, createRecord, newRecord("a", "a", "_scopes", "{a}"), 400, invalid, "_scopes has the wrong type"},
		{"scope with space", admin, createRecord, newRecord("a", "a", "_scopes", []string{"a b"}), 400, invalid, "scope"},
		{"scope null", admin, createRecord, newRecord("a", "a", "_scopes", []any{nil}), 400, invalid, "scope"},
		{"metadata list", admin, createRecord, newRecord("a", "a", "_metadata", []int{1}), 400, invalid, "_metadata has the wrong type"},
		{"metadata too long", admin, createRecord, newRecord("a", "a", "_metadata", map[string]any{"a": strings.Repeat("x", 5000)}), 400, invalid, "metadata"},
		{"expiry past", admin, createRecord, newRecord("a", "a", "_expires_at", "2020-01-01T00:00:00Z"), 400, invalid, "future"},
		{"expiry no time", admin, createRecord, newRecord("a", "a", "_expires_at", "tomorrow"), 400, invalid, "_expires_at has the wrong type"},
		{"client id taken", admin, createRecord, newRecord("taken", "other"), 409, "23505", "duplicate key"},
		{"secret used before", admin, createRecord, newRecord("gone", "gone"), 400, invalid, "used for this client id before"},

		{"unknown credential", admin, revokeRecord, revocation(uuid.NewString()), 400, invalid, "no such"},
		{"credential no UUID", admin, revokeRecord, revocation("x"), 400, invalid, "_credential_id"},
		{"credential null", admin, revokeRecord, arguments("_brand_id", brand, "_credential_id", nil), 400, invalid, "_credential_id"},
		{"credential of another kind", admin, revokeRecord, revocation(callback), 400, invalid, "no such"},
		{"reason too long", admin, revokeRecord, arguments("_brand_id", brand, "_credential_id", id, "_reason", strings.Repeat("x", 257)), 400, invalid, "_reason"},
		{"reason with control", admin, revokeRecord, arguments("_brand_id", brand, "_credential_id", id, "_reason", "a\x1b[2J"), 400, invalid, "_reason"},
		{"rotate what is revoked", admin, rotateRecord, rotation(gone, hashOf("b")), 400, invalid, "revoked"},
		{"rotate to the same", admin, rotateRecord, rotation(id, hashOf("one")), 400, invalid, "this secret already"},
		{"rotate to nothing", admin, rotateRecord, rotation(id, ""), 400, invalid, "secret hash is missing"},
		{"rotate to no hash", admin, rotateRecord, rotation(id, "x"), 400, invalid, "_new_secret_hash"},
		{"rotate unknown", admin, rotateRecord, rotation(uuid.NewString(), hashOf("b")), 400, invalid, "no such"},
		{"rotate another kind", admin, rotateRecord, rotation(callback, hashOf("b")), 400, invalid, "no such"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.within(t).as(c.who, "POST", c.path, c.body)
			checkRPCError(t, a, c.status, c.code, c.says)
			s.within(t).checkDocumented(a, "POST", c.path)
			alias := s.within(t).as(c.who, "POST", strings.TrimPrefix(c.path, "/rest/v1"), c.body)
			checkRPCError(t, alias, c.status, c.code, c.says)
			if strings.Contains(string(a.body), "battery") || strings.Contains(string(a.body), hashOf("other")) {
				t.Errorf("the answer repeats a secret: %s", a.body)
			}
		})
	}
	if after := string(s.must(200, admin, "GET", credentialsPath, "").body); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
}

// checkRPCError expects an error in PostgREST's form.
func checkRPCError(t testing.TB, a answer, status int, code, says string) {
	t.Helper()
	doc := a.decode(t)
	if a.StatusCode != status || doc["code"] != code {
		t.Fatalf("got %d %v, want %d %s\n%s", a.StatusCode, doc["code"], status, code, a.body)
	}
	if fmt.Sprint(names(anyMap(doc))) != "[code details hint message]" || doc["message"] == "" || !strings.Contains(string(a.body), says) {
		t.Errorf("the error is %s", a.body)
	}
	if got := a.Header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	challenge := a.Header.Get("WWW-Authenticate")
	if (status == 401) != strings.HasPrefix(challenge, "Bearer") || (code == "PGRST301" || code == "PGRST303") != strings.Contains(challenge, `error="invalid_token"`) {
		t.Errorf("WWW-Authenticate %q", challenge)
	}
	if (status == 503) != (a.Header.Get("Retry-After") != "") {
		t.Errorf("Retry-After %q with a %d", a.Header.Get("Retry-After"), status)
	}
	if a.Header.Get("X-Request-Id") == "" {
		t.Error("no X-Request-Id")
	}
}

func TestRPCTransport(t *testing.T) {
	s := newServer(t)
	admin := adminOf(t, tenantA)
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		a := s.as(admin, method, createRecord, "")
		checkRPCError(t, a, 405, "PGRST101", "POST")
		if a.Header.Get("Allow") != "POST" {
			t.Errorf("%s: Allow %q", method, a.Header.Get("Allow"))
		}
	}
	for _, contentType := range []string{"text/plain", "application/x-www-form-urlencoded", "application/merge-patch+json", ";;", "application/octet-stream"} {
		r := request("POST", createRecord, newRecord("a", "a"))
		r.Header.Set("Authorization", admin)
		r.Header.Set("Content-Type", contentType)
		a := s.send(r)
		checkRPCError(t, a, 415, "PGRST107", "")
		s.checkDocumented(a, "POST", createRecord)
	}
	for _, path := range []string{"/rest/v1/rpc/list_api_credential_records", "/rpc/x", "/rpc/Create_api_credential_record"} {
		checkRPCError(t, s.as(admin, "POST", path, newRecord("a", "a")), 404, "PGRST202", "Could not find the function")
		checkRPCError(t, s.as("", "POST", path, newRecord("a", "a")), 401, "PGRST302", "")
	}
	r := request("POST", createRecord, newRecord("charset", "a"))
	r.Header.Set("Authorization", admin)
	r.Header.Set("Content-Type", "Application/JSON; charset=utf-8")
	if a := s.send(r); a.StatusCode != 200 {
		t.Errorf("with a charset: %d %s", a.StatusCode, a.body)
	}
	r = request("POST", createRecord, "")
	r.Body, r.ContentLength = failingBody{fmt.Errorf("gone")}, -1
	r.Header.Set("Authorization", admin)
	checkRPCError(t, s.send(r), 400, "PGRST102", "")
}

// TestRPCFailuresAreScrubbed: nothing of what went wrong below reaches the caller.
func TestRPCFailuresAreScrubbed(t *testing.T) {
	down, err := store.New(store.Config{Redis: redisconn.Server{URLs: []string{"redis://10.1.2.3:1"}}, Namespace: "n"})
	if err != nil {
		t.Fatal(err)
	}
	s := newServerOn(t, down) // never started
	a := s.as(adminOf(t, tenantA), "POST", createRecord, newRecord("a", "a"))
	checkRPCError(t, a, 503, "HKG-2503", "")
	s.checkDocumented(a, "POST", createRecord)
	if strings.Contains(string(a.body), "10.1.2.3") || strings.Contains(string(a.body), "started") {
		t.Errorf("the answer tells of our internals: %s", a.body)
	}
}
