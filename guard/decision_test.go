package guard

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
)

// TestOutcomesAreComplete: an outcome that is not in the list has no series and no page.
func TestOutcomesAreComplete(t *testing.T) {
	source, err := parser.ParseFile(token.NewFileSet(), "decision.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var defined []Outcome
	ast.Inspect(source, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Outcome" {
			word, _ := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			defined = append(defined, Outcome(word))
		}
		return true
	})
	if len(defined) == 0 || !slices.Equal(defined, Outcomes()) {
		t.Errorf("defined are %s, listed %s", defined, Outcomes())
	}
}
