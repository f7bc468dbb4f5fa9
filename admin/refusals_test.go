package admin_test

import (
	"fmt"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
)

// refusals returns who was refused what, newest first, once everything is written.
func (s *server) refusals(tenantAdmin string) (texts []string) {
	s.t.Helper()
	s.handler.(*admin.API).Close()
	for _, e := range s.expect(200, tenantAdmin, "GET", "/v1/audit?action=refused", "").list(s.t, "entries") {
		texts = append(texts, fmt.Sprint(e["actor"], " ", e["detail"]))
		if e["requestId"] == nil || e["credentialId"] != nil {
			s.t.Errorf("entry %v", e)
		}
	}
	return texts
}

func TestRefusalsAreAudited(t *testing.T) {
	limit, _ := withRate(admin.RateLimit{PerSecond: 1, Burst: 4})
	s := newServer(t, limit)
	viewer := tokenFor(t, jwt.MapClaims{"tenant_id": tenantA.String(), "role": "viewer", "sub": "eve"})
	nobody := tokenFor(t, jwt.MapClaims{"tenant_id": tenantA.String(), "sub": "mallory"})
	stranger := tokenFor(t, jwt.MapClaims{"tenant_id": tenantB.String(), "role": "admin", "sub": "bob"})
	s.must(403, viewer, "POST", callbacksPath, `{}`)
	s.must(403, nobody, "GET", credentialsPath, "")
	s.must(403, viewer, "POST", createRecord, newRecord("a", "a"))
	s.must(403, stranger, "POST", createRecord, newRecord("a", "a"))
	s.must(200, viewer, "GET", callbacksPath, "")
	s.must(404, viewer, "GET", credentialsPath+"/0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59", "")
	s.must(429, viewer, "GET", callbacksPath, "")
	s.must(401, "", "GET", callbacksPath, "")
	if got, want := fmt.Sprint(s.refusals(adminOf(t, tenantA))), "[eve listCallbackCredentials HKG-2429 eve createApiCredentialRecord 42501 mallory listCredentials HKG-2403 eve mintCallbackCredential HKG-2403]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := fmt.Sprint(s.refusals(adminOf(t, tenantB))); got != "[bob createApiCredentialRecord 42501]" {
		t.Errorf("the other tenant: %s", got)
	}
}

// TestRefusalsDoNotFloodTheAuditLog: whoever asks in vain must not push out what
// others have done.
func TestRefusalsDoNotFloodTheAuditLog(t *testing.T) {
	s := newServer(t)
	viewers := func(sub string) string {
		return tokenFor(t, jwt.MapClaims{"tenant_id": tenantA.String(), "role": "viewer", "sub": sub})
	}
	for range 50 {
		s.must(403, viewers("eve"), "POST", callbacksPath, `{}`)
	}
	s.must(403, viewers("adam"), "POST", callbacksPath, `{}`)
	if got := s.refusals(adminOf(t, tenantA)); len(got) != 11 || got[0] != "adam mintCallbackCredential HKG-2403" {
		t.Errorf("%d entries: %v", len(got), got)
	}
}

// TestRefusalsNeedNoStore: the answer is the same, and does not wait.
func TestRefusalsNeedNoStore(t *testing.T) {
	down, err := store.New(store.Config{Redis: redisconn.Server{URLs: []string{"redis://127.0.0.1:1"}}, Namespace: "n"})
	if err != nil {
		t.Fatal(err)
	}
	s := newServerOn(t, down)
	checkProblem(t, s.as(viewerOf(t, tenantA), "POST", callbacksPath, `{}`), 403, "HKG-2403")
	s.handler.(*admin.API).Close()
}
