package admin_test

import (
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookgate/hookgate/store"
)

const (
	vendorSecret      = "vendor-secret-canary-1"
	otherVendorSecret = "vendor-secret-canary-2"
	vendorScheme      = `{"signature":{"header":["X-Signature"]}}`
)

func verifying(secrets ...string) string {
	list, _ := json.Marshal(secrets)
	return `{"scheme":` + vendorScheme + `,"secrets":` + string(list) + `}`
}

// TestVerifyOfACredential: secrets go in and never come out, by no operation and in no
// audit entry.
func TestVerifyOfACredential(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	var answers strings.Builder
	ask := func(status int, method, path, body string) answer {
		t.Helper()
		a := s.expect(status, operator, method, path, body)
		answers.Write(a.body)
		return a
	}
	shown := func(a answer, secrets float64, grace bool) {
		t.Helper()
		verify, _ := a.decode(t)["verify"].(map[string]any)
		scheme, _ := json.Marshal(verify["scheme"])
		if string(scheme) != vendorScheme || verify["secrets"] != secrets || verify["changedAt"] == nil || (verify["graceUntil"] != nil) != grace {
			t.Errorf("verify is shown as %v", verify)
		}
	}
	made := ask(201, "POST", credentialsPath, `{"kind":"callback","vendor":"acme","verify":`+verifying(vendorSecret, otherVendorSecret)+`}`)
	shown(made, 2, false)
	one := credentialsPath + "/" + made.text(t, "id")
	shown(ask(200, "POST", one+"/signing-secret", `{"secret":"vendor-secret-canary-3","gracePeriodSeconds":60,"reason":"yearly"}`), 2, true)
	ask(409, "POST", one+"/signing-secret", `{"secret":"vendor-secret-canary-4"}`)
	shown(ask(200, "POST", one+"/signing-secret", `{"secret":"vendor-secret-canary-4","force":true}`), 2, false)
	shown(ask(200, "GET", one, ""), 2, false)
	shown(ask(200, "PATCH", one, `{"verify":`+verifying("vendor-secret-canary-5")+`}`), 1, false)
	rotated := ask(201, "POST", one+"/rotate", `{"gracePeriodSeconds":60}`)
	shown(rotated, 1, false)
	if gone := ask(200, "PATCH", credentialsPath+"/"+rotated.text(t, "id"), `{"verify":null}`); gone.decode(t)["verify"] != nil {
		t.Errorf("taken away, and shown: %s", gone.body)
	}
	ask(409, "POST", credentialsPath+"/"+rotated.text(t, "id")+"/signing-secret", `{"secret":"vendor-secret-canary-6"}`)
	ask(200, "POST", credentialsPath+"/import", `{"credentials":[{"kind":"webhook","vendor":"pluggy","connection":"main","digest":"`+strings.Repeat("a1", 32)+`","verify":`+verifying(vendorSecret)+`}]}`)
	ask(200, "GET", credentialsPath, "")

	audit := ask(200, "GET", "/v1/audit?action=update", "")
	for _, want := range []string{`"verify":{"from":{`, `"secrets":2`, `"to":null`, `"graceUntil"`, `"reason":"yearly"`} {
		if !strings.Contains(string(audit.body), want) {
			t.Errorf("the audit log lacks %s: %s", want, audit.body)
		}
	}
	if all := answers.String() + s.log.String(); strings.Contains(all, "vendor-secret-canary") {
		t.Errorf("a secret comes back in %s", all)
	}
}

// TestVerifyIsRefused: what cannot be verified by is refused where it is written, and
// without a key nothing can be kept.
func TestVerifyIsRefused(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	id := s.must(201, operator, "POST", credentialsPath, `{"kind":"callback"}`).text(t, "id")
	for verify, at := range map[string]string{
		`{"scheme":"no-such-vendor","secrets":["vendor-secret-canary"]}`:                                     "body.verify.scheme",
		`{"scheme":{"signature":{}},"secrets":["vendor-secret-canary"]}`:                                     "body.verify.scheme",
		`{"scheme":{"vendor-secret-canary":1},"secrets":["x"]}`:                                              "body.verify.scheme",
		`{"scheme":7,"secrets":["vendor-secret-canary"]}`:                                                    "body.verify.scheme",
		`{"scheme":` + vendorScheme + `,"secrets":[]}`:                                                       "body.verify.secrets",
		`{"scheme":` + vendorScheme + `,"secrets":["vendor-secret-canary",""]}`:                              "body.verify",
		`{"scheme":` + vendorScheme + `,"secrets":["a","b","c","d","e"]}`:                                    "body.verify.secrets",
		`{"scheme":` + vendorScheme + `,"secrets":"vendor-secret-canary"}`:                                   "body.verify.secrets",
		`{"scheme":` + vendorScheme + `}`:                                                                    "body.verify",
		`{"secrets":["vendor-secret-canary"]}`:                                                               "body.verify",
		`{"scheme":` + vendorScheme + `,"secrets":["x"],"options":"vendor-secret-canary"}`:                   "body.verify",
		`{"scheme":{"signature":{"header":"X-S"},"algorithm":"ed25519"},"secrets":["vendor-secret-canary"]}`: "body.verify.secrets",
	} {
		for _, a := range []answer{
			s.as(operator, "POST", credentialsPath, `{"kind":"callback","verify":`+verify+`}`),
			s.as(operator, "PATCH", credentialsPath+"/"+id, `{"verify":`+verify+`}`),
		} {
			if a.StatusCode != 422 || !strings.Contains(string(a.body), at) || strings.Contains(string(a.body), "canary") {
				t.Errorf("%s: %d %s", verify, a.StatusCode, a.body)
			}
		}
	}
	if a := s.as(operator, "POST", credentialsPath, `{"kind":"api","clientId":"a","secretHash":"`+strings.Repeat("a1", 32)+`","verify":`+verifying("x")+`}`); a.StatusCode != 422 {
		t.Errorf("api: %d", a.StatusCode)
	}
	if err := s.store.Start(store.Tuning{}); err != nil { // as a reload does that takes the key away
		t.Fatal(err)
	}
	for _, a := range []answer{
		s.as(operator, "POST", credentialsPath, `{"kind":"callback","verify":`+verifying("vendor-secret-canary")+`}`),
		s.as(operator, "PATCH", credentialsPath+"/"+id, `{"verify":`+verifying("vendor-secret-canary")+`}`),
	} {
		if a.StatusCode != 422 || a.decode(t)["code"] != "HKG-2423" {
			t.Errorf("without a key: %d %s", a.StatusCode, a.body)
		}
	}
}

// TestNameThatMayBeASecret: whoever takes a secret for the name of a property does not read
// it in the answer. Other names are told.
func TestNameThatMayBeASecret(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	one := credentialsPath + "/" + s.must(201, operator, "POST", credentialsPath, `{"kind":"callback"}`).text(t, "id")
	for name, c := range map[string]struct{ method, path, body, says string }{
		"in a create":            {"POST", credentialsPath, `{"kind":"callback","verify":{"scheme":"stripe","secrets":["x"],"whsec_canary":1}}`, `"location":"body.verify"`},
		"with dots":              {"POST", credentialsPath, `{"kind":"callback","verify":{"scheme":"stripe","secrets":["x"],"a.verify.canary":1}}`, `"location":"body.verify"`},
		"in a patch":             {"PATCH", one, `{"verify":{"scheme":"stripe","secrets":["x"],"whsec_canary":1}}`, `"location":"body.verify"`},
		"in an import":           {"POST", credentialsPath + "/import", `{"credentials":[{"kind":"callback","digest":"x","verify":{"scheme":"stripe","secrets":["x"],"whsec_canary":1}}]}`, `"location":"body.credentials[0].verify"`},
		"twice":                  {"POST", credentialsPath, `{"kind":"callback","verify":{"scheme":"stripe","secrets":["x"],"canary":1,"canary":1}}`, `duplicate property in verify`},
		"twice in a scheme":      {"POST", credentialsPath, `{"kind":"callback","Verify":{"scheme":{"canary":1,"canary":1},"secrets":["x"]}}`, `duplicate property in verify`},
		"as a signing secret":    {"POST", one + "/signing-secret", `{"secret":"x","canary":1}`, `"location":"body"`},
		"as one, twice":          {"POST", one + "/signing-secret", `{"canary":1,"canary":1}`, `"duplicate property"`},
		"as a token to look up":  {"POST", credentialsPath + "/verify", `{"token":"x","canary":1}`, `"location":"body"`},
		"a token":                {"POST", credentialsPath, `{"kind":"callback","mcb_canary":1}`, `"location":"body.mcb_******"`},
		"a token twice":          {"POST", credentialsPath, `{"kind":"callback","mcb_canary":1,"mcb_canary":1}`, `duplicate property \"mcb_******\"`},
		"a name and no secret":   {"POST", credentialsPath, `{"kind":"callback","expiry":1}`, `"location":"body.expiry"`},
		"a name in another case": {"POST", one + "/signing-secret", `{"Secret":"x"}`, `unexpected property \"Secret\"; names are case-sensitive`},
	} {
		a := s.as(operator, c.method, c.path, c.body)
		if a.StatusCode != 422 && a.StatusCode != 400 || !strings.Contains(string(a.body), c.says) || strings.Contains(string(a.body)+s.log.String(), "canary") {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
}

// TestRepeatedCreateWithSecrets: the fingerprint of a request does not depend on the secrets
// in it, so that the data set has nothing to try words against.
func TestRepeatedCreateWithSecrets(t *testing.T) {
	s := newServer(t)
	create := func(body string) answer {
		r := request("POST", credentialsPath, body)
		r.Header.Set("Authorization", adminOf(t, tenantA))
		r.Header.Set("Idempotency-Key", "once")
		return s.send(r)
	}
	if a := create(`{"kind":"callback","verify":` + verifying("one") + `}`); a.StatusCode != 201 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	for body, want := range map[string]int{
		`{"kind":"callback","verify":` + verifying("one") + `}`:             200,
		`{"kind":"callback","verify":` + verifying("two") + `}`:             200,
		`{"kind":"callback","verify":` + verifying("one", "two") + `}`:      409,
		`{"kind":"callback","label":"x","verify":` + verifying("one") + `}`: 409,
	} {
		if a := create(body); a.StatusCode != want {
			t.Errorf("%s: %d, want %d: %s", body, a.StatusCode, want, a.body)
		}
	}
}

// TestGraceIsShownWhileItLasts: one that is over is in the audit log alone.
func TestGraceIsShownWhileItLasts(t *testing.T) {
	var offset atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	s := newServerOn(t, newStore(t, store.Config{EmbeddedDir: t.TempDir(), Namespace: "hookgate", Clock: clock}))
	operator := adminOf(t, tenantA)
	one := credentialsPath + "/" + s.create(`{"kind":"callback","vendor":"acme","verify":`+verifying(vendorSecret)+`}`).text(t, "id")
	s.expect(200, operator, "POST", one+"/signing-secret", `{"secret":"`+otherVendorSecret+`","gracePeriodSeconds":60}`)
	for after, shown := range map[time.Duration]bool{0: true, time.Hour: false} {
		offset.Store(int64(after))
		verify, _ := s.expect(200, operator, "GET", one, "").decode(t)["verify"].(map[string]any)
		if (verify["graceUntil"] != nil) != shown || verify["secrets"] != 1.0 {
			t.Errorf("after %s: %v", after, verify)
		}
	}
}
