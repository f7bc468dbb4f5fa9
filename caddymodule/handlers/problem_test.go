package handlers

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestErrorsAreDocumented: docs/errors.md has the guard's codes as problem.go defines
// them, and no other.
func TestErrorsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	statuses := make(map[string]int) // by their words
	for status := 400; status < 600; status++ {
		statuses["Status"+strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(status))] = status
	}
	source, err := parser.ParseFile(token.NewFileSet(), "problem.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	defined := 0
	ast.Inspect(source, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok || len(literal.Elts) != 3 {
			return true
		}
		if name, named := literal.Type.(*ast.Ident); !named || name.Name != "problem" {
			return true
		}
		defined++
		code, _ := strconv.Unquote(literal.Elts[1].(*ast.BasicLit).Value)
		detail, _ := strconv.Unquote(literal.Elts[2].(*ast.BasicLit).Value)
		status := statuses[literal.Elts[0].(*ast.SelectorExpr).Sel.Name]
		row := regexp.MustCompile(regexp.QuoteMeta(fmt.Sprintf("| %s | %d | %s | ", code, status, detail)) + `\S.* \|\n`)
		if !row.Match(text) {
			t.Errorf("docs/errors.md lacks %s with status %d", code, status)
		}
		return true
	})
	if n := strings.Count(string(text), "\n| HKG-1"); defined == 0 || n != defined {
		t.Errorf("docs/errors.md has %d codes, problem.go %d", n, defined)
	}
}
