package admin

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
)

//go:embed docs.html
var docsHTML string

var docsTemplate = template.Must(template.New("docs").Funcs(template.FuncMap{
	"type": describeType, "limits": describeLimits, "json": indented, "answers": answersOf, "errors": errorsOf, "lower": strings.ToLower,
}).Parse(docsHTML))

// docs is what the page is made of: the OpenAPI document and the table of codes.
type docs struct {
	*huma.OpenAPI
	Groups   []docsGroup
	Schemas  []docsSchema
	Problems []Problem
	Problem  *detail // what all of them look like
}

// docsGroup is the operations with one tag.
type docsGroup struct {
	Name       string
	Operations []*huma.Operation
}

type docsSchema struct {
	Name string
	*huma.Schema
	Fields []docsField
}

type docsField struct {
	Name     string
	Required bool
	*huma.Schema
}

// docsPage is the documentation for people. It has no script, asks nobody else for
// anything, and may not be framed.
type docsPage struct {
	html   []byte
	policy string
}

func newDocsPage(document *huma.OpenAPI) (*docsPage, error) {
	var out bytes.Buffer
	if err := docsTemplate.Execute(&out, docs{document, docsGroups(document), docsSchemas(document), Problems(), exampleProblem()}); err != nil {
		return nil, err
	}
	_, rest, _ := bytes.Cut(out.Bytes(), []byte("<style>"))
	style, _, _ := bytes.Cut(rest, []byte("</style>"))
	digest := sha256.Sum256(style)
	return &docsPage{
		html: out.Bytes(),
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) +
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}, nil
}

func (p *docsPage) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	w.Write(p.html)
}

func exampleProblem() *detail {
	d := refuse(problemNotFound)
	d.Instance = "urn:uuid:0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"
	return d
}

func docsGroups(document *huma.OpenAPI) []docsGroup {
	var groups []docsGroup
	for _, op := range operations(document) {
		name := "Other"
		if len(op.Tags) > 0 {
			name = op.Tags[0]
		}
		i := slices.IndexFunc(groups, func(g docsGroup) bool { return g.Name == name })
		if i < 0 {
			i = len(groups)
			groups = append(groups, docsGroup{Name: name})
		}
		groups[i].Operations = append(groups[i].Operations, op)
	}
	return groups
}

func docsSchemas(document *huma.OpenAPI) []docsSchema {
	schemas := document.Components.Schemas.Map()
	var all []docsSchema
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		s := docsSchema{Name: name, Schema: schemas[name]}
		for field, schema := range s.Properties {
			s.Fields = append(s.Fields, docsField{field, slices.Contains(s.Required, field), schema})
		}
		slices.SortFunc(s.Fields, func(a, b docsField) int {
			if a.Required != b.Required {
				return map[bool]int{true: -1, false: 1}[a.Required]
			}
			return cmp.Compare(a.Name, b.Name)
		})
		all = append(all, s)
	}
	return all
}

type docsAnswer struct {
	Status string
	*huma.Response
}

// docsError is one row of the errors of an operation. Problem documents are all alike
// and shown once; an Example is only of others.
type docsError struct {
	Status, Code, Meaning string
	Example               any
}

// answersOf returns what an operation answers when it does what it is for.
func answersOf(op *huma.Operation) []docsAnswer {
	var answers []docsAnswer
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if status < "4" {
			answers = append(answers, docsAnswer{status, op.Responses[status]})
		}
	}
	return answers
}

func errorsOf(op *huma.Operation) []docsError {
	var rows []docsError
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if status < "4" || status == "default" {
			continue
		}
		response := op.Responses[status]
		before := len(rows)
		for mediaType, content := range response.Content {
			for _, code := range slices.Sorted(maps.Keys(content.Examples)) {
				example := content.Examples[code]
				row := docsError{Status: status, Code: code, Meaning: example.Summary}
				if mediaType != problemType {
					row.Example = example.Value
				}
				rows = append(rows, row)
			}
		}
		if len(rows) == before {
			rows = append(rows, docsError{Status: status, Meaning: response.Description})
		}
	}
	return rows
}

// docsType is a type in words, with the schema that it refers to.
type docsType struct{ Text, Schema string }

func describeType(s *huma.Schema) docsType {
	switch {
	case s == nil:
		return docsType{Text: "any"}
	case s.Ref != "":
		return docsType{Schema: schemaName(s.Ref)}
	case s.Type == huma.TypeArray:
		item := describeType(s.Items)
		return docsType{Text: strings.TrimSpace("list of " + item.Text), Schema: item.Schema}
	case s.Format != "":
		return docsType{Text: s.Type + ", " + s.Format}
	case s.Type == "":
		return docsType{Text: "any"}
	}
	return docsType{Text: s.Type}
}

func indented(v any) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // the template does that
	encoder.SetIndent("", "  ")
	err := encoder.Encode(v)
	return strings.TrimSpace(out.String()), err
}
