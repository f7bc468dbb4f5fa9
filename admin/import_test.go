package admin_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
)

func importBody(lines ...string) string {
	return `{"credentials":[` + strings.Join(lines, ",") + `]}`
}

const foreignToken = "sk-live_minted.elsewhere~1"

func TestImport(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	callback := `{"kind":"callback","digest":"sha256:` + strings.ToUpper(hashOf(foreignToken)) + `","label":"jira","expiresAt":"2127-01-02T03:04:05Z","allowedIps":["10.0.0.0/8"],"metadata":{"a":1}}`
	webhook := `{"kind":"webhook","digest":"` + hashOf("other") + `","vendor":"belvo","connection":"main"}`
	first := s.expect(200, operator, "POST", credentialsPath+"/import", importBody(callback, webhook, callback)).list(t, "results")
	if first[0]["status"] != "created" || first[1]["status"] != "created" || first[2]["status"] != "exists" || first[2]["id"] != first[0]["id"] {
		t.Fatalf("results %v", first)
	}
	if s.standing(foreignToken) != keyring.Live {
		t.Error("the imported token does not work")
	}
	shown := s.expect(200, operator, "GET", fmt.Sprint(credentialsPath, "/", first[0]["id"]), "")
	if got := fieldNames(shown.decode(t)); got != "[allowedIps createdAt expiresAt id kind label metadata status]" {
		t.Errorf("imported with %s", got)
	}
	again := s.expect(200, operator, "POST", credentialsPath+"/import", importBody(webhook, callback)).list(t, "results")
	if again[0]["status"] != "exists" || again[0]["id"] != first[1]["id"] || again[1]["id"] != first[0]["id"] {
		t.Errorf("again: %v", again)
	}
}

// TestImportReportsEachLine, and that a digest is another tenant's or was revoked in
// the same words.
func TestImportReportsEachLine(t *testing.T) {
	s := newServer(t, withConnections(connectionsOf{tenantA.String() + " pluggy main": true}))
	operator := adminOf(t, tenantA)
	taken := s.expect(201, adminOf(t, tenantB), "POST", credentialsPath, `{"kind":"callback"}`).text(t, "token")
	gone := s.create(`{"kind":"callback"}`)
	s.expect(204, operator, "DELETE", credentialsPath+"/"+gone.text(t, "id"), "")
	own := s.create(`{"kind":"callback"}`)

	digest := 0
	line := func(rest string) string {
		digest++
		return fmt.Sprintf(`{"digest":%q%s}`, hashOf(fmt.Sprint(digest)), rest)
	}
	of := func(token, kind string) string { return fmt.Sprintf(`{"digest":%q,"kind":%q}`, hashOf(token), kind) }
	lines := []struct{ line, status, code, says string }{
		{of(taken, "callback"), "refused", "HKG-2013", "The digest cannot be imported."},
		{of(gone.text(t, "token"), "callback"), "refused", "HKG-2013", "The digest cannot be imported."},
		{of(own.text(t, "token"), "callback"), "exists", "", ""},
		{line(`,"kind":"callback"`), "created", "", ""},
		{line(`,"kind":"webhook","vendor":"pluggy","connection":"main"`), "created", "", ""},
		{line(`,"kind":"webhook","vendor":"belvo","connection":"main"`), "refused", "HKG-2004", ""},
		{line(`,"kind":"webhook"`), "refused", "HKG-2422", ""},
		{line(`,"kind":"webhook","vendor":"pluggy","connection":"main"`), "created", "", ""},
		{line(`,"kind":"api"`), "refused", "HKG-2422", "not imported"},
		{line(`,"kind":"password"`), "refused", "HKG-2422", "kind"},
		{`{"kind":"callback","digest":""}`, "refused", "HKG-2422", "missing"},
		{`{"kind":"callback","digest":"x"}`, "refused", "HKG-2422", "SHA-256"},
		{`{"kind":"callback","digest":"` + strings.Repeat("0", 64) + `"}`, "refused", "HKG-2422", "missing"},
		{line(`,"kind":"callback","label":"a\nb"`), "refused", "HKG-2422", "label"},
		{line(`,"kind":"callback","connection":"main"`), "refused", "HKG-2422", "webhook"},
		{line(`,"kind":"callback","expiresAt":"2020-01-01T00:00:00Z"`), "refused", "HKG-2422", "passed"},
		{line(`,"kind":"callback","expiresAt":"never"`), "refused", "HKG-2422", "RFC 3339"},
		{line(`,"kind":"callback","allowedIps":["10.0.0.1/8"]`), "refused", "HKG-2422", "CIDR"},
		{line(`,"kind":"callback"`), "created", "", ""},
	}
	var texts []string
	for _, l := range lines {
		texts = append(texts, l.line)
	}
	a := s.expect(200, operator, "POST", credentialsPath+"/import", importBody(texts...))
	results := a.list(t, "results")
	if len(results) != len(lines) {
		t.Fatalf("%d results of %d lines", len(results), len(lines))
	}
	for i, want := range lines {
		code, _ := results[i]["code"].(string)
		detail, _ := results[i]["detail"].(string)
		if results[i]["status"] != want.status || code != want.code || !strings.Contains(detail, want.says) || (results[i]["id"] == nil) != (want.status == "refused") {
			t.Errorf("%s: %v", want.line, results[i])
		}
	}
	if fmt.Sprint(results[0]) != fmt.Sprint(results[1]) {
		t.Errorf("another tenant's digest and a revoked one differ: %v %v", results[0], results[1])
	}
	if s.standing(gone.text(t, "token")) != keyring.Revoked {
		t.Error("the import brought a revoked token back")
	}
	if strings.Contains(string(a.body), hashOf(taken)) {
		t.Errorf("the answer repeats a digest: %s", a.body)
	}
}

func TestImportRequests(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	line := `{"kind":"callback","digest":"` + hashOf("x") + `"}`
	many := make([]string, 1001)
	for i := range many {
		many[i] = line
	}
	for _, body := range []string{
		`{}`, `{"credentials":null}`, `{"credentials":[]}`, importBody(many...), importBody(`7`), importBody(`{"kind":"callback"}`),
		importBody(`{"kind":"callback","digest":"x","token":"y"}`), importBody(`{"kind":"callback","digest":7}`), `{"credentials":[],"dryRun":true}`,
	} {
		checkProblem(t, s.expect(422, operator, "POST", credentialsPath+"/import", body), 422, "HKG-2422")
	}
	checkProblem(t, s.expect(403, viewerOf(t, tenantA), "POST", credentialsPath+"/import", importBody(line)), 403, "HKG-2403")
	if list := s.must(200, operator, "GET", credentialsPath, "").list(t, "credentials"); len(list) != 0 {
		t.Errorf("something was imported: %v", list)
	}
	large := importBody(`{"kind":"callback","digest":"` + hashOf("x") + `"}` + strings.Repeat(" ", 1<<20-200))
	if got := s.expect(200, operator, "POST", credentialsPath+"/import", large).list(t, "results")[0]; got["status"] != "created" {
		t.Errorf("a body of almost 1 MiB: %v", got)
	}
	checkProblem(t, s.expect(413, operator, "POST", credentialsPath+"/import", strings.Repeat(" ", 1<<20+1)), 413, "HKG-2413")
}

func TestVerify(t *testing.T) {
	s := newServer(t)
	live := s.create(`{"kind":"callback","label":"jira"}`)
	gone := s.create(`{"kind":"callback"}`)
	s.expect(204, adminOf(t, tenantA), "DELETE", credentialsPath+"/"+gone.text(t, "id"), "")
	s.create(apiBody("billing", "a:b c"))
	imported := s.expect(200, adminOf(t, tenantA), "POST", credentialsPath+"/import", importBody(`{"kind":"callback","digest":"`+hashOf(foreignToken)+`"}`)).list(t, "results")[0]
	foreign := s.expect(201, adminOf(t, tenantB), "POST", credentialsPath, `{"kind":"callback"}`)
	foreignGone := s.expect(201, adminOf(t, tenantB), "POST", credentialsPath, `{"kind":"callback"}`)
	s.expect(204, adminOf(t, tenantB), "DELETE", credentialsPath+"/"+foreignGone.text(t, "id"), "")

	for token, want := range map[string]struct {
		outcome string
		id      any
	}{
		live.text(t, "token"):        {"allowed", live.text(t, "id")},
		gone.text(t, "token"):        {"revoked", gone.text(t, "id")},
		foreignToken:                 {"allowed", imported["id"]},
		"billing:a:b c":              {"allowed", s.record()["id"]},
		"billing:wrong":              {"unknown", nil},
		":secret":                    {"malformed", nil},
		foreign.text(t, "token"):     {"unknown", nil},
		foreignGone.text(t, "token"): {"unknown", nil},
		"never-minted":               {"unknown", nil},
		live.text(t, "token")[:52]:   {"malformed", nil},
		"mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sl": {"malformed", nil},
		"a token": {"malformed", nil},
	} {
		a := s.expect(200, viewerOf(t, tenantA), "POST", credentialsPath+"/verify", arguments("token", token))
		credential, _ := a.decode(t)["credential"].(map[string]any)
		if a.text(t, "outcome") != want.outcome || a.text(t, "detail") == "" || credential["id"] != want.id {
			t.Errorf("%q: %s", token, a.body)
		}
		if strings.Contains(string(a.body), token) {
			t.Errorf("the answer repeats the token: %s", a.body)
		}
		if a.Header.Get("Cache-Control") != "no-store" {
			t.Error("the answer may be cached")
		}
	}
	if got := s.expect(200, viewerOf(t, tenantA), "GET", credentialsPath+"/"+live.text(t, "id"), ""); got.text(t, "lastUsedAt") != "" {
		t.Error("verifying counts as a use")
	}
	for _, body := range []string{`{}`, `{"token":""}`, `{"token":7}`, arguments("token", strings.Repeat("x", 1025)), arguments("token", "x", "kind", "callback")} {
		checkProblem(t, s.expect(422, viewerOf(t, tenantA), "POST", credentialsPath+"/verify", body), 422, "HKG-2422")
	}
	if strings.Contains(s.log.String(), live.text(t, "token")) {
		t.Error("a token is in the log")
	}
}

func TestVerifyOfWhatCannotBeDecided(t *testing.T) {
	down, err := store.New(store.Config{Redis: redisconn.Server{URLs: []string{"redis://127.0.0.1:1"}}, Namespace: "n"})
	if err != nil {
		t.Fatal(err)
	}
	s := newServerOn(t, down)
	if a := s.expect(200, viewerOf(t, tenantA), "POST", credentialsPath+"/verify", `{"token":"x"}`); a.text(t, "outcome") != "stale" {
		t.Errorf("without a keyring: %s", a.body)
	}
}

func TestAuditLog(t *testing.T) {
	s := newServer(t)
	alice := tokenFor(t, map[string]any{"tenant_id": tenantA.String(), "role": "admin", "sub": "alice"})
	forger := tokenFor(t, map[string]any{"tenant_id": tenantA.String(), "role": "admin", "sub": "bob\n2026 alice revoke\u202e" + strings.Repeat("x", 400)})
	var want []string // newest first
	note := func(a answer, actor, action string, id any, kind, reason, detail string) {
		t.Helper()
		want = append([]string{fmt.Sprint(actor, "|", action, "|", id, "|", kind, "|", reason, "|", a.Header.Get("X-Request-Id"), "|", detail)}, want...)
	}
	send := func(status int, method, path, body string) answer {
		t.Helper()
		return s.expect(status, alice, method, path, body)
	}
	made := send(201, "POST", credentialsPath, `{"kind":"callback"}`)
	id := made.text(t, "id")
	note(made, "alice", "mint", id, "callback", "", "")
	note(send(200, "PATCH", credentialsPath+"/"+id, `{"label":"x"}`), "alice", "update", id, "callback", "", "")
	rotated := send(201, "POST", credentialsPath+"/"+id+"/rotate", `{"gracePeriodSeconds":60,"reason":"yearly"}`)
	next := rotated.text(t, "id")
	note(rotated, "alice", "rotate", id, "callback", "yearly", next)
	note(send(200, "POST", credentialsPath+"/"+next+"/finish", `{"reason":"done"}`), "alice", "finish", id, "callback", "done", "")
	note(send(200, "POST", credentialsPath+"/"+next+"/revoke", `{"reason":"leaked"}`), "alice", "revoke", next, "callback", "leaked", "")
	imported := send(200, "POST", credentialsPath+"/import", importBody(
		`{"kind":"callback","digest":"`+hashOf("x")+`"}`, `{"kind":"callback","digest":"`+hashOf("y")+`"}`, `{"kind":"webhook","digest":"`+hashOf("z")+`"}`))
	note(imported, "alice", "import", "", "", "", "created 2, exists 0, refused 1")
	facade := send(201, "POST", callbacksPath, `{}`)
	note(facade, "alice", "mint", facade.text(t, "credentialId"), "callback", "", "")
	again := send(201, "POST", callbacksPath+"/"+facade.text(t, "credentialId")+"/rotate", "")
	note(again, "alice", "rotate", facade.text(t, "credentialId"), "callback", "", again.text(t, "credentialId"))
	note(send(204, "DELETE", callbacksPath+"/"+again.text(t, "credentialId"), ""), "alice", "revoke", again.text(t, "credentialId"), "callback", "", "")
	token := send(201, "POST", tokensPath, mintPluggy)
	tokenID := s.must(200, alice, "GET", tokensPath, "").list(t, "tokens")[0]["id"]
	note(token, "alice", "mint", tokenID, "webhook", "", "")
	note(s.expect(204, forger, "DELETE", fmt.Sprint(tokensPath, "/", tokenID), ""),
		"bob\ufffd2026 alice revoke\ufffd"+strings.Repeat("x", 256-23)+"…", "revoke", tokenID, "webhook", "", "")
	// None of these changes anything.
	send(204, "DELETE", fmt.Sprint(tokensPath, "/", tokenID), "")
	send(409, "POST", credentialsPath+"/"+id+"/rotate", "")
	send(404, "DELETE", credentialsPath+"/"+uuid.NewString(), "")
	send(422, "POST", credentialsPath, `{"kind":"api"}`)

	var got []string
	entries := s.expect(200, viewerOf(t, tenantA), "GET", "/v1/audit", "").list(t, "entries")
	for _, e := range entries {
		text := func(field string) string { v, _ := e[field].(string); return v }
		got = append(got, strings.Join([]string{text("actor"), text("action"), text("credentialId"), text("kind"), text("reason"), text("requestId"), text("detail")}, "|"))
		if !isUTC(text("at")) || text("id") == "" || text("address") != "192.0.2.1" {
			t.Errorf("entry %v", e)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the log is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	for query, n := range map[string]int{
		"?credentialId=" + id: 4, "?action=revoke": 3, "?action=refused": 0, "?action=mint&credentialId=" + id: 1, "?limit=1000": len(want),
		"?credentialId=" + uuid.NewString(): 0, "?actor=nobody": 0, "?until=2001-02-03T04:05:06Z": 0, "?since=2001-02-03T04:05:06Z": len(want),
	} {
		if got := bytes.Count(s.must(200, viewerOf(t, tenantA), "GET", "/v1/audit/export"+strings.TrimPrefix(query, "?limit=1000"), "").body, []byte("\n")); got != n {
			t.Errorf("%s: %d lines, want %d", query, got, n)
		}
		if got := len(s.expect(200, viewerOf(t, tenantA), "GET", "/v1/audit"+query, "").list(t, "entries")); got != n {
			t.Errorf("%s: %d entries, want %d", query, got, n)
		}
	}
	export := s.must(200, viewerOf(t, tenantA), "GET", "/v1/audit/export", "")
	lines := slices.Collect(bytes.Lines(export.body))
	slices.Reverse(lines)
	if export.Header.Get("Content-Type") != "application/x-ndjson" || len(lines) != len(entries) {
		t.Fatalf("%s, %d lines", export.Header.Get("Content-Type"), len(lines))
	}
	for i, line := range lines {
		var e map[string]any
		if err := json.Unmarshal(line, &e); err != nil || !reflect.DeepEqual(e, entries[i]) {
			t.Errorf("line %s is not %v: %v", line, entries[i], err)
		}
	}
	cursor, seen := "", 0
	for {
		a := s.expect(200, viewerOf(t, tenantA), "GET", "/v1/audit?limit=4"+cursor, "")
		for _, e := range a.list(t, "entries") {
			if e["id"] != entries[seen]["id"] {
				t.Errorf("entry %d is %v, want %v", seen, e["id"], entries[seen]["id"])
			}
			seen++
		}
		if cursor = a.text(t, "nextCursor"); cursor == "" {
			break
		}
		cursor = "&cursor=" + cursor
	}
	if seen != len(want) {
		t.Errorf("%d entries in pages, %d in all", seen, len(want))
	}
	for _, query := range []string{"?credentialId=x", "?action=delete", "?limit=0", "?cursor=x", "?cursor=MTItYWJj", "?since=yesterday", "?until=0", "?tenant=" + tenantB.String()} {
		checkProblem(t, s.expect(422, viewerOf(t, tenantA), "GET", "/v1/audit"+query, ""), 422, "HKG-2422")
	}
}
