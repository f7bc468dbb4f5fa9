package admin_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/hookgate/hookgate/admin"
)

func TestTableOfProblems(t *testing.T) {
	code := regexp.MustCompile(`^HKG-2\d{3}$`)
	last := ""
	for _, p := range admin.Problems() {
		if !code.MatchString(p.Code) || p.Code <= last {
			t.Errorf("%s is malformed, repeated or out of order", p.Code)
		}
		last = p.Code
		if p.Status < 400 || p.Title != http.StatusText(p.Status) || p.Meaning == "" {
			t.Errorf("incomplete: %+v", p)
		}
	}
}

// TestEveryProblemIsDocumented: each code is an example of some operation in the
// OpenAPI document, except those that answer before an operation is found, or what
// becomes of a line of an import.
func TestEveryProblemIsDocumented(t *testing.T) {
	documented := map[string]bool{"HKG-2404": true, "HKG-2405": true}
	doc := openAPI(t, newServer(t))
	for _, code := range at(t, doc, "components", "schemas", "ImportResult", "properties", "code", "enum").([]any) {
		documented[code.(string)] = true
	}
	for _, item := range at(t, doc, "paths").(map[string]any) {
		for _, op := range item.(map[string]any) {
			for _, response := range at(t, op, "responses").(map[string]any) {
				content, _ := response.(map[string]any)["content"].(map[string]any)
				problem, _ := content["application/problem+json"].(map[string]any)
				examples, _ := problem["examples"].(map[string]any)
				for code := range examples {
					documented[code] = true
				}
			}
		}
	}
	for _, p := range admin.Problems() {
		if !documented[p.Code] {
			t.Errorf("no operation documents %s", p.Code)
		}
	}
}
