// Package docs makes the documentation of the admin API out of its OpenAPI document: a
// page for people, and examples of what has none.
package docs

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hookgate/hookgate/problem"
)

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"type": describeType, "limits": describeLimits, "json": indented, "answers": answersOf, "errors": errorsOf, "lower": strings.ToLower,
}).Parse(pageHTML))

// Problems are the codes that the API answers with, and the document that all such
// answers look like.
type Problems struct {
	Table   []problem.Problem
	Example any
}

// contents is what the page is made of.
type contents struct {
	*huma.OpenAPI
	Groups   []group
	Schemas  []schema
	Problems Problems
}

// group is the operations with one tag.
type group struct {
	Name       string
	Operations []*huma.Operation
}

type schema struct {
	Name string
	*huma.Schema
	Fields []field
}

type field struct {
	Name     string
	Required bool
	*huma.Schema
}

// Page is the documentation for people. It has no script, asks nobody else for
// anything, and may not be framed.
type Page struct {
	html   []byte
	policy string
}

// NewPage writes the page.
func NewPage(document *huma.OpenAPI, problems Problems) (*Page, error) {
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, contents{document, groupsOf(document), schemasOf(document), problems}); err != nil {
		return nil, err
	}
	_, rest, _ := bytes.Cut(out.Bytes(), []byte("<style>"))
	style, _, _ := bytes.Cut(rest, []byte("</style>"))
	digest := sha256.Sum256(style)
	return &Page{
		html: out.Bytes(),
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) +
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}, nil
}

// ServeHTTP implements http.Handler.
func (p *Page) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	w.Write(p.html)
}

func groupsOf(document *huma.OpenAPI) []group {
	var groups []group
	for _, op := range operations(document) {
		name := "Other"
		if len(op.Tags) > 0 {
			name = op.Tags[0]
		}
		i := slices.IndexFunc(groups, func(g group) bool { return g.Name == name })
		if i < 0 {
			i = len(groups)
			groups = append(groups, group{Name: name})
		}
		groups[i].Operations = append(groups[i].Operations, op)
	}
	return groups
}

func schemasOf(document *huma.OpenAPI) []schema {
	schemas := document.Components.Schemas.Map()
	var all []schema
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		s := schema{Name: name, Schema: schemas[name]}
		for name, property := range s.Properties {
			s.Fields = append(s.Fields, field{name, slices.Contains(s.Required, name), property})
		}
		slices.SortFunc(s.Fields, func(a, b field) int {
			if a.Required != b.Required {
				return map[bool]int{true: -1, false: 1}[a.Required]
			}
			return cmp.Compare(a.Name, b.Name)
		})
		all = append(all, s)
	}
	return all
}

type answer struct {
	Status string
	*huma.Response
}

// refusal is one row of the errors of an operation. Problem documents are all alike and
// shown once; an Example is only of others.
type refusal struct {
	Status, Code, Meaning string
	Example               any
}

// answersOf returns what an operation answers when it does what it is for.
func answersOf(op *huma.Operation) []answer {
	var answers []answer
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if status < "4" {
			answers = append(answers, answer{status, op.Responses[status]})
		}
	}
	return answers
}

func errorsOf(op *huma.Operation) []refusal {
	var rows []refusal
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if status < "4" || status == "default" {
			continue
		}
		response := op.Responses[status]
		before := len(rows)
		for mediaType, content := range response.Content {
			for _, code := range slices.Sorted(maps.Keys(content.Examples)) {
				example := content.Examples[code]
				row := refusal{Status: status, Code: code, Meaning: example.Summary}
				if mediaType != problem.ContentType {
					row.Example = example.Value
				}
				rows = append(rows, row)
			}
		}
		if len(rows) == before {
			rows = append(rows, refusal{Status: status, Meaning: response.Description})
		}
	}
	return rows
}

// typeName is a type in words, with the schema that it refers to.
type typeName struct{ Text, Schema string }

func describeType(s *huma.Schema) typeName {
	switch {
	case s == nil:
		return typeName{Text: "any"}
	case s.Ref != "":
		return typeName{Schema: schemaName(s.Ref)}
	case s.Type == huma.TypeArray:
		item := describeType(s.Items)
		return typeName{Text: strings.TrimSpace("list of " + item.Text), Schema: item.Schema}
	case s.Format != "":
		return typeName{Text: s.Type + ", " + s.Format}
	case s.Type == "":
		return typeName{Text: "any"}
	}
	return typeName{Text: s.Type}
}

func indented(v any) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // the template does that
	encoder.SetIndent("", "  ")
	err := encoder.Encode(v)
	return strings.TrimSpace(out.String()), err
}
