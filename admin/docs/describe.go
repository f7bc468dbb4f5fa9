package docs

import (
	"fmt"
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// Written is what was written by hand of a document whose shape is that of Go types.
type Written struct {
	// Fields are properties by the name of their schema. Under "" stands what is so
	// wherever a property has the name.
	Fields map[string]map[string]Field
	// Includes names a schema whose properties another one has too.
	Includes map[string]string
	// Parameters are those of any operation, by their name.
	Parameters map[string]Field
	// Schemas has examples of schemas whose properties do not all go together, by the
	// schema's name. Their first is also that of whatever contains them.
	Schemas map[string][]Example
}

// Field is a property or a parameter: what it is for, and an example of it. Either may
// be empty.
type Field struct {
	Text    string
	Example any
}

// Example is one example of a schema. The name tells it from others.
type Example struct {
	Name  string
	Value any
}

// Describe puts into the document what was written of it, and makes up examples of
// whatever then still has none. It fails where something is written of a property or
// parameter that does not exist.
func Describe(document *huma.OpenAPI, written Written) error {
	if err := written.check(document); err != nil {
		return err
	}
	for name, schema := range document.Components.Schemas.Map() {
		for property, s := range schema.Properties {
			f := written.field(name, property)
			if f.Text != "" {
				s.Description = f.Text
			}
			if f.Example != nil && len(s.Examples) == 0 {
				s.Examples = []any{f.Example}
			}
		}
	}
	for _, op := range operations(document) {
		for _, p := range op.Parameters {
			f := written.Parameters[p.Name]
			if f.Text != "" && p.In == "query" {
				p.Description = f.Text
			}
			if f.Example != nil && p.Example == nil {
				p.Example = f.Example
			}
		}
	}
	addExamples(document, written.Schemas)
	return nil
}

func (w *Written) check(document *huma.OpenAPI) error {
	known := map[string]bool{}
	for name, schema := range document.Components.Schemas.Map() {
		known[name] = true
		for property := range schema.Properties {
			known["."+property], known[name+"."+property] = true, true
		}
	}
	for _, op := range operations(document) {
		for _, p := range op.Parameters {
			known["?"+p.Name] = true
		}
	}
	var written []string
	for schema, properties := range w.Fields {
		for property := range properties {
			written = append(written, schema+"."+property)
		}
	}
	for name := range w.Parameters {
		written = append(written, "?"+name)
	}
	written = slices.AppendSeq(written, maps.Keys(w.Schemas))
	if i := slices.IndexFunc(written, func(name string) bool { return !known[name] }); i >= 0 {
		return fmt.Errorf("%s is described, and does not exist", written[i])
	}
	return nil
}

// field returns the most particular of what is written of a property.
func (w *Written) field(schema, property string) Field {
	var f Field
	names := []string{schema, w.Includes[schema], ""}
	for _, name := range slices.Compact(names) {
		of := w.Fields[name][property]
		if f.Text == "" {
			f.Text = of.Text
		}
		if f.Example == nil {
			f.Example = of.Example
		}
	}
	return f
}
