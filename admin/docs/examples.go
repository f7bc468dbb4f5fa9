package docs

import (
	"cmp"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// operations returns all operations of a document, by path.
func operations(document *huma.OpenAPI) []*huma.Operation {
	var all []*huma.Operation
	for _, item := range document.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				all = append(all, op)
			}
		}
	}
	slices.SortFunc(all, func(a, b *huma.Operation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	return all
}

// addExamples gives every parameter, request body and answer without an example one;
// that of an object is put together from those of its properties.
func addExamples(document *huma.OpenAPI, written map[string][]Example) {
	e := exampler{written, document.Components.Schemas}
	for _, op := range operations(document) {
		for _, p := range op.Parameters {
			if p.Example == nil && p.Schema != nil {
				p.Example = e.of(p.Schema, maxExampleDepth)
			}
		}
		if op.RequestBody != nil {
			e.add(op.RequestBody.Content)
		}
		for status, response := range op.Responses {
			if status != "default" { // nothing in particular
				e.add(response.Content)
			}
		}
	}
}

type exampler struct {
	written map[string][]Example
	schemas huma.Registry
}

func (e exampler) add(content map[string]*huma.MediaType) {
	for _, m := range content {
		if m.Example != nil || len(m.Examples) > 0 || m.Schema == nil {
			continue
		}
		written := e.written[schemaName(m.Schema.Ref)]
		if len(written) < 2 {
			m.Example = e.of(m.Schema, maxExampleDepth)
			continue
		}
		m.Examples = map[string]*huma.Example{}
		for _, w := range written {
			m.Examples[w.Name] = &huma.Example{Value: w.Value}
		}
	}
}

// schemaName is the name in a reference to a schema.
func schemaName(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

// maxExampleDepth ends examples of schemas that contain themselves.
const maxExampleDepth = 8

// of returns an example of a schema, or nil where it does not even say a type.
func (e exampler) of(s *huma.Schema, depth int) any {
	if s.Ref != "" {
		if written := e.written[schemaName(s.Ref)]; len(written) > 0 {
			return written[0].Value
		}
		s = e.schemas.SchemaFromRef(s.Ref)
	}
	switch {
	case s == nil || depth == 0:
		return nil
	case len(s.Examples) > 0:
		return s.Examples[0]
	case s.Default != nil:
		return s.Default
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[0]
	}
	switch s.Type {
	case huma.TypeObject:
		return e.object(s, depth)
	case huma.TypeArray:
		if item := e.of(s.Items, depth-1); item != nil {
			return []any{item}
		}
		return []any{}
	case huma.TypeString:
		return stringExamples[s.Format]
	case huma.TypeInteger, huma.TypeNumber:
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 0
	case huma.TypeBoolean:
		return false
	}
	return nil
}

// stringExamples are by format; "" is the example of a string without one.
var stringExamples = map[string]string{
	"uuid": "0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59", "date-time": "2026-01-02T03:04:05.678Z", "uri": "https://example.com/",
}

func (e exampler) object(s *huma.Schema, depth int) any {
	object := map[string]any{}
	for name, property := range s.Properties {
		if example := e.of(property, depth-1); example != nil {
			object[name] = example
		}
	}
	if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
		if example := e.of(values, depth-1); example != nil {
			object["name"] = example
		}
	}
	return object
}
