package admin_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/problem"
)

func operatorProblems() []problem.Problem {
	return slices.DeleteFunc(problem.All(), func(p problem.Problem) bool { return !strings.HasPrefix(p.Code, "HKG-2") })
}

// TestEveryProblemIsDocumented: each code is an example of some operation in the
// OpenAPI document, except those that answer before an operation is found, or what
// becomes of a line of an import, or are a page of the sign-in.
func TestEveryProblemIsDocumented(t *testing.T) {
	documented := map[string]bool{
		"HKG-2404": true, "HKG-2405": true,
		"HKG-2022": true, "HKG-2023": true, "HKG-2024": true, "HKG-2025": true, "HKG-2028": true, "HKG-2029": true,
	}
	doc := openAPI(t, newServer(t))
	for _, code := range at(t, doc, "components", "schemas", "ImportResult", "properties", "code", "enum").([]any) {
		documented[code.(string)] = true
	}
	for _, item := range at(t, doc, "paths").(map[string]any) {
		for _, op := range item.(map[string]any) {
			for _, response := range at(t, op, "responses").(map[string]any) {
				content, _ := response.(map[string]any)["content"].(map[string]any)
				document, _ := content["application/problem+json"].(map[string]any)
				examples, _ := document["examples"].(map[string]any)
				for code := range examples {
					documented[code] = true
				}
			}
		}
	}
	for _, p := range operatorProblems() {
		if !documented[p.Code] {
			t.Errorf("no operation documents %s", p.Code)
		}
	}
}
