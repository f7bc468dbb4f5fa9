package docs_test

import (
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hookgate/hookgate/admin/docs"
)

// TestDescriptionsOfNothing: what is written of a name that no longer exists is found
// out, and not left lying about.
func TestDescriptionsOfNothing(t *testing.T) {
	document := func() *huma.OpenAPI {
		d := huma.DefaultConfig("test", "1").OpenAPI
		d.Components.Schemas.Map()["Thing"] = &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"size": {Type: huma.TypeInteger}}}
		d.Paths = map[string]*huma.PathItem{"/": {Get: &huma.Operation{Parameters: []*huma.Param{{Name: "limit", In: "query"}}}}}
		return d
	}
	field := docs.Field{Text: "text", Example: 1}
	for name, written := range map[string]docs.Written{
		"":             {Fields: map[string]map[string]docs.Field{"Thing": {"size": field}, "": {"size": field}}, Parameters: map[string]docs.Field{"limit": field}},
		"Thing.weight": {Fields: map[string]map[string]docs.Field{"Thing": {"weight": field}}},
		"Things.size":  {Fields: map[string]map[string]docs.Field{"Things": {"size": field}}},
		".weight":      {Fields: map[string]map[string]docs.Field{"": {"weight": field}}},
		"?cursor":      {Parameters: map[string]docs.Field{"cursor": field}},
		"Thing2":       {Schemas: map[string][]docs.Example{"Thing2": {{Value: 1}}}},
	} {
		d := document()
		err := docs.Describe(d, written)
		if name != "" {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		size, limit := d.Components.Schemas.Map()["Thing"].Properties["size"], d.Paths["/"].Get.Parameters[0]
		if err != nil || size.Description != "text" || limit.Description != "text" || limit.Example != 1 || size.Examples[0] != 1 {
			t.Errorf("%v: %+v, %+v", err, size, limit)
		}
	}
}
