package admin_test

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// served is what the OpenAPI document says, the same on every server.
var served struct {
	sync.Mutex
	document map[string]any
	schemas  map[string]*jsonschema.Schema
}

// servedSchema compiles the schema at a pointer into the served document.
func (s *server) servedSchema(pointer string) *jsonschema.Schema {
	s.t.Helper()
	served.Lock()
	defer served.Unlock()
	if served.document == nil {
		served.document = s.must(200, "", "GET", "/openapi.json", "").decode(s.t)
		served.schemas = make(map[string]*jsonschema.Schema)
	}
	schema := served.schemas[pointer]
	if schema == nil {
		schema = compileSchema(s.t, served.document, pointer)
		served.schemas[pointer] = schema
	}
	return schema
}

// expect is as with further headers, and expects a status and an answer as the
// document describes it.
func (s *server) expect(status int, authorization, method, path, body string, headers ...string) answer {
	s.t.Helper()
	r := request(method, path, body)
	r.Header.Set("Authorization", authorization)
	for name := range slices.Chunk(headers, 2) {
		r.Header.Set(name[0], name[1])
	}
	a := s.send(r)
	if a.StatusCode != status {
		s.t.Fatalf("%s %s %.500s: got %d, want %d\n%s", method, path, body, a.StatusCode, status, a.body)
	}
	s.checkDocumented(a, method, r.URL.Path)
	return a
}

func (s *server) checkDocumented(a answer, method, path string) {
	s.t.Helper()
	s.servedSchema("#/components/schemas/Detail") // so that there is a document
	template := templateOf(s.t, path)
	pointer := "#/paths/" + strings.ReplaceAll(template, "/", "~1") + "/" + strings.ToLower(method) + "/responses/" + strconv.Itoa(a.StatusCode)
	response, ok := at(s.t, served.document, "paths", template, strings.ToLower(method), "responses").(map[string]any)[strconv.Itoa(a.StatusCode)]
	if !ok {
		s.t.Errorf("%s %s: %d is not documented", method, template, a.StatusCode)
		return
	}
	content, _ := response.(map[string]any)["content"].(map[string]any)
	if a.StatusCode == http.StatusNoContent {
		if len(content) != 0 || len(a.body) != 0 {
			s.t.Errorf("%s %s: a 204 with content", method, template)
		}
		return
	}
	mediaType, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil || content[mediaType] == nil {
		s.t.Errorf("%s %s: %q is not documented for %d", method, template, a.Header.Get("Content-Type"), a.StatusCode)
		return
	}
	matches(s.t, s.servedSchema(pointer+"/content/"+strings.ReplaceAll(mediaType, "/", "~1")+"/schema"), a.body)
	examples, _ := content[mediaType].(map[string]any)["examples"].(map[string]any)
	if code := a.text(s.t, "code"); a.StatusCode >= 400 && examples[code] == nil {
		s.t.Errorf("%s %s: %s is not documented for %d", method, template, code, a.StatusCode)
	}
}

// templateOf returns the documented path that a path is an instance of: the one with
// the fewest parameters.
func templateOf(t testing.TB, path string) string {
	t.Helper()
	best := ""
	for template := range served.document["paths"].(map[string]any) {
		want, have := strings.Split(template, "/"), strings.Split(path, "/")
		same := len(want) == len(have)
		for i := 0; same && i < len(want); i++ {
			same = want[i] == have[i] || strings.HasPrefix(want[i], "{")
		}
		if same && (best == "" || strings.Count(template, "{") < strings.Count(best, "{")) {
			best = template
		}
	}
	if best == "" {
		t.Fatalf("no documented path is like %s", path)
	}
	return best
}
