package admin_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestBadBodies(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct {
		name, body string
		status     int
		code       string
		says       string // in errors
	}{
		{"empty", "", 400, "HKG-2400", ""},
		{"spaces", "  ", 400, "HKG-2400", "not a JSON document"},
		{"not JSON", `externalSystem=jira`, 400, "HKG-2400", "not a JSON document"},
		{"cut off", `{"externalSystem":"ji`, 400, "HKG-2400", "not a JSON document"},
		{"trailing JSON", `{} {}`, 400, "HKG-2400", "not a JSON document"},
		{"trailing comma", `{"externalSystem":"a",}`, 400, "HKG-2400", "not a JSON document"},
		{"comment", `{} // x`, 400, "HKG-2400", "not a JSON document"},
		{"NaN", `{"externalSystem":NaN}`, 400, "HKG-2400", "not a JSON document"},
		{"huge number", `{"externalSystem":1e999}`, 400, "HKG-2400", "out of range"},
		{"duplicate name", `{"externalSystem":"a","externalSystem":"b"}`, 400, "HKG-2400", `duplicate property "externalSystem"`},
		{"duplicate by escape", `{"externalSystem":"a","external\u0053ystem":"b"}`, 400, "HKG-2400", `duplicate property "externalSystem"`},
		{"invalid UTF-8", "{\"externalSystem\":\"\xff\"}", 400, "HKG-2400", "not a JSON document"},
		{"lone surrogate", `{"externalSystem":"\ud800"}`, 400, "HKG-2400", "not a JSON document"},
		{"byte order mark", "\ufeff{}", 400, "HKG-2400", "not a JSON document"},
		{"deep", strings.Repeat("[", 60_000), 400, "HKG-2400", "not a JSON document"},
		{"null", `null`, 422, "HKG-2422", "expected object"},
		{"list", `[]`, 422, "HKG-2422", "expected object"},
		{"string", `"jira"`, 422, "HKG-2422", "expected object"},
		{"wrong type", `{"externalSystem":7}`, 422, "HKG-2422", "expected string"},
		{"unknown property", `{"externalSystem":"a","expiresAt":"2030-01-01T00:00:00Z"}`, 422, "HKG-2422", "unexpected property"},
		{"wrong case", `{"externalsystem":"a"}`, 422, "HKG-2422", `unexpected property "externalsystem"; names are case-sensitive`},
		{"both cases", `{"externalSystem":"a","EXTERNALSYSTEM":"b"}`, 422, "HKG-2422", `unexpected property "EXTERNALSYSTEM"`},
		{"$schema", `{"$schema":"https://example.com"}`, 422, "HKG-2422", "unexpected property"},
		{"too long", `{"externalSystem":"` + strings.Repeat("a", 129) + `"}`, 422, "HKG-2422", "expected length <= 128"},
		{"line feed", `{"externalSystem":"a\nb"}`, 422, "HKG-2422", "free of control characters"},
		{"NUL", `{"externalSystem":"\u0000"}`, 422, "HKG-2422", "free of control characters"},
		{"DEL", `{"externalSystem":"\u007f"}`, 422, "HKG-2422", "free of control characters"},
		{"C1 control", `{"externalSystem":"\u0085"}`, 422, "HKG-2422", "free of control characters"},
		{"final line feed", `{"externalSystem":"a\n"}`, 422, "HKG-2422", "free of control characters"},
		{"too large", `{"externalSystem":"` + strings.Repeat("a", 64<<10) + `"}`, 413, "HKG-2413", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := checkProblem(t, s.as(adminOf(t, tenantA), "POST", callbacksPath, c.body), c.status, c.code)
			if !strings.Contains(fmt.Sprint(doc["errors"]), c.says) {
				t.Errorf("errors %v do not say %q", doc["errors"], c.says)
			}
			if list := s.must(200, adminOf(t, tenantA), "GET", callbacksPath, "").list(t, "credentials"); len(list) != 0 {
				t.Errorf("something was minted: %v", list)
			}
		})
	}
}

func TestBadWebhookRequests(t *testing.T) {
	s := newServer(t)
	for name, body := range map[string]string{
		"nothing":           `{}`,
		"no vendor":         `{"connection_config_name":"main"}`,
		"no connection":     `{"vendor":"pluggy"}`,
		"null connection":   `{"vendor":"pluggy","connection_config_name":null}`,
		"empty connection":  `{"vendor":"pluggy","connection_config_name":""}`,
		"long connection":   `{"vendor":"pluggy","connection_config_name":"` + strings.Repeat("漢", 257) + `"}`,
		"control character": `{"vendor":"pluggy","connection_config_name":"a\tb"}`,
		"other vendor":      `{"vendor":"acme","connection_config_name":"main"}`,
		"vendor in case":    `{"vendor":"Pluggy","connection_config_name":"main"}`,
		"camelCase":         `{"vendor":"pluggy","connectionConfigName":"main"}`,
		"property in case":  `{"Vendor":"pluggy","connection_config_name":"main"}`,
	} {
		t.Run(name, func(t *testing.T) {
			checkProblem(t, s.as(adminOf(t, tenantA), "POST", tokensPath, body), 422, "HKG-2422")
			s.expectNoTokens()
		})
	}
}

func TestContentType(t *testing.T) {
	s := newServer(t)
	for contentType, want := range map[string]int{
		"":                                  201, // as at Matcher
		"application/json":                  201,
		"Application/JSON":                  201,
		"application/json; charset=utf-8":   201,
		"application/json ; charset=utf-8":  201,
		"text/plain":                        415,
		"text/json":                         415,
		"application/x-www-form-urlencoded": 415,
		"application/merge-patch+json":      415,
		"application/cbor":                  415,
		"json":                              415,
		"nonsense;;":                        415,
	} {
		r := request("POST", callbacksPath, `{}`)
		r.Header.Del("Content-Type")
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		r.Header.Set("Authorization", adminOf(t, tenantA))
		a := s.send(r)
		if want == 415 {
			checkProblem(t, a, 415, "HKG-2415")
		} else if a.StatusCode != want {
			t.Errorf("%q: got %d\n%s", contentType, a.StatusCode, a.body)
		}
	}
	r := request("POST", callbacksPath, `{}`)
	r.Header.Set("Authorization", adminOf(t, tenantA))
	r.Header.Add("Content-Type", "text/plain")
	checkProblem(t, s.send(r), 415, "HKG-2415")
}

func TestAnswersAreJSONWhateverIsAccepted(t *testing.T) {
	s := newServer(t)
	for _, accept := range []string{"text/html", "application/cbor", "image/*", "application/json;q=0", "application/problem+json", ";;;"} {
		r := request("GET", callbacksPath, "")
		r.Header.Set("Authorization", adminOf(t, tenantA))
		r.Header.Set("Accept", accept)
		if a := s.send(r); a.StatusCode != 200 || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("Accept: %s: %d %s", accept, a.StatusCode, a.Header.Get("Content-Type"))
		}
	}
}

func TestOperationsWithoutBody(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	for body, want := range map[string]struct {
		status int
		code   string
	}{
		`{}`:                          {204, ""},
		" {\n} ":                      {204, ""},
		`{"gracePeriodSeconds":60}`:   {422, "HKG-2422"},
		`null`:                        {400, "HKG-2400"},
		`[]`:                          {400, "HKG-2400"},
		`x`:                           {400, "HKG-2400"},
		`{}{}`:                        {400, "HKG-2400"},
		strings.Repeat(" ", 64<<10+1): {413, "HKG-2413"},
	} {
		id := s.must(201, operator, "POST", callbacksPath, `{}`).text(t, "credentialId")
		a := s.as(operator, "DELETE", callbacksPath+"/"+id, body)
		if want.status != 204 {
			checkProblem(t, a, want.status, want.code)
			checkProblem(t, s.as(operator, "POST", callbacksPath+"/"+id+"/rotate", body), want.status, want.code)
			s.must(201, operator, "POST", callbacksPath+"/"+id+"/rotate", "") // it was still live
		} else if a.StatusCode != 204 {
			t.Errorf("%q: %d %s", body, a.StatusCode, a.body)
		}
	}
}

func TestBadIDs(t *testing.T) {
	s := newServer(t)
	operator := adminOf(t, tenantA)
	id := s.must(201, operator, "POST", callbacksPath, `{}`).text(t, "credentialId")
	for _, bad := range []string{
		"1", "x", strings.ReplaceAll(id, "-", ""), "urn:uuid:" + id, "{" + id + "}", id + "0", id[:35], id[:35] + "g",
		"mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk", strings.Repeat("a", 10_000),
	} {
		for _, base := range []string{callbacksPath, tokensPath} {
			for _, a := range []answer{s.raw(operator, "POST", base+"/"+bad+"/rotate"), s.raw(operator, "DELETE", base+"/"+bad)} {
				if strings.ContainsAny(bad, "{") { // not a path as it stands
					checkProblem(t, a, 404, "HKG-2404")
					continue
				}
				doc := checkProblem(t, a, 422, "HKG-2422")
				if !strings.Contains(fmt.Sprint(doc["errors"]), "path.") || strings.Contains(string(a.body), bad) && len(bad) > 1 {
					t.Errorf("%s", a.body)
				}
			}
		}
	}
	s.must(204, operator, "DELETE", callbacksPath+"/"+strings.ToUpper(id), "")
}

// raw sends a request target that may not be a clean URL.
func (s *server) raw(authorization, method, path string) answer {
	s.t.Helper()
	r := request(method, "/", "")
	r.URL.Path = path
	r.Header.Set("Authorization", authorization)
	return s.send(r)
}

func TestUnknownQueryParametersAreRefused(t *testing.T) {
	s := newServer(t)
	checkProblem(t, s.as(adminOf(t, tenantA), "GET", callbacksPath+"?limit=10", ""), 422, "HKG-2422")
	checkProblem(t, s.as(adminOf(t, tenantA), "DELETE", callbacksPath+"/"+uuid.NewString()+"?force=true", ""), 422, "HKG-2422")
	checkProblem(t, s.as(adminOf(t, tenantA), "GET", tokensPath+"?vendor=belvo", ""), 422, "HKG-2422")
}

// TestProblemsAreBounded: a client cannot make an answer much larger than its
// request by naming properties.
func TestProblemsAreBounded(t *testing.T) {
	s := newServer(t)
	var many strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&many, `"p%d":1,`, i)
	}
	for _, body := range []string{
		`{` + many.String() + `"z":1}`,
		`{"` + strings.Repeat("漢", 20_000) + `":1}`,
		`{"` + strings.Repeat("n", 30_000) + `":1,"` + strings.Repeat("n", 30_000) + `":1}`,
	} {
		a := s.as(adminOf(t, tenantA), "POST", callbacksPath, body)
		if a.StatusCode/100 != 4 || len(a.body) > 4<<10 {
			t.Errorf("%d with %d bytes", a.StatusCode, len(a.body))
		}
		conforms(t, "Detail", a.body)
	}
}

type failingBody struct{ err error }

func (b failingBody) Read([]byte) (int, error) { return 0, b.err }
func (failingBody) Close() error               { return nil }

func TestBodiesThatDoNotArrive(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{os.ErrDeadlineExceeded, 408, "HKG-2408"},
		{io.ErrUnexpectedEOF, 400, "HKG-2400"},
		{http.ErrBodyReadAfterClose, 400, "HKG-2400"},
	} {
		for _, path := range []string{callbacksPath, callbacksPath + "/" + uuid.NewString() + "/rotate"} {
			r := request("POST", path, "")
			r.Body, r.ContentLength = failingBody{c.err}, -1
			r.Header.Set("Authorization", adminOf(t, tenantA))
			checkProblem(t, s.send(r), c.status, c.code)
		}
	}
}

func TestDeclaredLengthIsEnoughToRefuse(t *testing.T) {
	s := newServer(t)
	r := request("POST", callbacksPath, "")
	r.Body, r.ContentLength = unreadable{t}, 64<<10+1
	r.Header.Set("Authorization", adminOf(t, tenantA))
	checkProblem(t, s.send(r), 413, "HKG-2413")
}

func TestLargestBodyPasses(t *testing.T) {
	s := newServer(t)
	body := `{}` + strings.Repeat(" ", 64<<10-2)
	s.must(201, adminOf(t, tenantA), "POST", callbacksPath, body)
}
