package admin_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is the served OpenAPI document, with the schemas in it compiled.
type document struct {
	t        testing.TB
	root     map[string]any
	resource any
	compiled map[string]*jsonschema.Schema
}

func documentOf(t *testing.T, s *server) *document {
	t.Helper()
	root := openAPI(t, s)
	return &document{t: t, root: root, resource: asResource(t, root), compiled: map[string]*jsonschema.Schema{}}
}

func asResource(t testing.TB, v any) any {
	t.Helper()
	resource, err := jsonschema.UnmarshalJSON(strings.NewReader(string(must(json.Marshal(v)))))
	if err != nil {
		t.Fatal(err)
	}
	return resource
}

// schema compiles a schema that stands somewhere in the document.
func (d *document) schema(schema any) *jsonschema.Schema {
	d.t.Helper()
	text := strings.ReplaceAll(string(must(json.Marshal(schema))), `"$ref":"#/`, `"$ref":"urn:document#/`)
	if s := d.compiled[text]; s != nil {
		return s
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	for name, resource := range map[string]any{"urn:document": d.resource, "urn:here": asResource(d.t, json.RawMessage(text))} {
		if err := c.AddResource(name, resource); err != nil {
			d.t.Fatal(err)
		}
	}
	s, err := c.Compile("urn:here")
	if err != nil {
		d.t.Fatalf("%v\n%s", err, text)
	}
	d.compiled[text] = s
	return s
}

func (d *document) isValid(schema, value any) bool {
	return d.schema(schema).Validate(asResource(d.t, value)) == nil
}

// resolve follows a reference.
func (d *document) resolve(schema any) map[string]any {
	s, _ := schema.(map[string]any)
	ref, ok := s["$ref"].(string)
	if !ok {
		return s
	}
	var v any = d.root
	for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		v = v.(map[string]any)[name]
	}
	return d.resolve(v)
}

// valueCase is a value to send, and what is special about it.
type valueCase struct {
	name  string
	value any
}

// cases returns values that a schema allows and values that it does not, made from
// one that it allows. Which they are, the schema tells.
func (d *document) cases(schema, example any) []valueCase {
	all := []valueCase{
		{"null", nil}, {"a boolean", true}, {"a number", 7}, {"a fraction", 0.5}, {"a negative number", -1}, {"a huge number", 1e308},
		{"a string", "x"}, {"a numeric string", "7"}, {"a list", []any{}}, {"a list of lists", []any{[]any{}}}, {"an object", map[string]any{}},
	}
	return append(all, d.near(d.resolve(schema), example, 6)...)
}

// near returns values close to an example.
func (d *document) near(schema map[string]any, example any, depth int) []valueCase {
	if depth == 0 {
		return nil
	}
	switch example := example.(type) {
	case map[string]any:
		return d.nearObject(schema, example, depth)
	case []any:
		all := []valueCase{{"many items", slices.Repeat([]any{"x"}, 5000)}, {"a null item", []any{nil}}}
		for _, item := range example[:min(1, len(example))] {
			all = append(all, valueCase{"the item twice", []any{item, item}}, valueCase{"1001 items", slices.Repeat([]any{item}, 1001)})
			for _, c := range d.near(d.resolve(schema["items"]), item, depth-1) {
				all = append(all, valueCase{"item: " + c.name, []any{c.value}})
			}
		}
		return all
	case string:
		return d.nearString(schema, example)
	case float64:
		all := []valueCase{{"one more", example + 1}, {"one less", example - 1}, {"a string of it", "1"}, {"too precise", example + 0.5}}
		for _, bound := range []string{"minimum", "maximum"} {
			if limit, ok := schema[bound].(float64); ok {
				all = append(all, valueCase{bound, limit}, valueCase{"under " + bound, limit - 1}, valueCase{"over " + bound, limit + 1})
			}
		}
		return all
	}
	return nil
}

func (d *document) nearObject(schema, example map[string]any, depth int) []valueCase {
	all := []valueCase{{"an extra property", with(example, "surplus-property", "x")}, {"an empty name", with(example, "", "x")}}
	bare := map[string]any{}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		bare[name.(string)] = example[name.(string)]
	}
	all = append(all, valueCase{"only what is required", bare})
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property := properties[name]
		without := maps.Clone(example)
		delete(without, name)
		all = append(all, valueCase{"without " + name, without}, valueCase{"in capitals " + name, with(without, strings.ToUpper(name), example[name])})
		for _, c := range d.cases(property, example[name]) {
			all = append(all, valueCase{name + ": " + c.name, with(example, name, c.value)})
		}
	}
	return all
}

func (d *document) nearString(schema map[string]any, example string) []valueCase {
	all := []valueCase{
		{"empty", ""}, {"a space", " "}, {"spaces around", " " + example + " "}, {"a line feed", example + "\n"}, {"NUL", example + "\x00"},
		{"capitals", strings.ToUpper(example)}, {"another script", "漢字"}, {"a path", "../../etc/passwd"}, {"a URN", "urn:uuid:" + example},
		{"a date alone", "2026-01-02"}, {"a date that is none", "2026-13-45T99:99:99Z"}, {"the year 0", "0000-01-01T00:00:00Z"}, {"the last year", "9999-12-31T23:59:59Z"},
		{"markup", "<script>alert(1)</script>"}, {"very long", strings.Repeat("x", 20_000)}, {"an escape", `\u0000%00`},
	}
	for _, bound := range []string{"minLength", "maxLength"} {
		if limit, ok := schema[bound].(float64); ok {
			all = append(all, valueCase{"as long as " + bound, strings.Repeat("x", int(limit))}, valueCase{"longer than " + bound, strings.Repeat("é", int(limit)+1)})
			if limit > 0 {
				all = append(all, valueCase{"shorter than " + bound, strings.Repeat("x", int(limit)-1)})
			}
		}
	}
	values, _ := schema["enum"].([]any)
	for _, v := range values {
		all = append(all, valueCase{"enum", v})
	}
	return all
}
