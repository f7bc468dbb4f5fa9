package admin

import (
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hookgate/hookgate/admin/api"
)

// registerSchemas tells huma the schemas of types that only look like others: package
// api knows nothing of huma.
func registerSchemas(r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[api.JSONObject](), reflect.TypeFor[jsonObject]())
	r.RegisterTypeAlias(reflect.TypeFor[api.Scheme](), reflect.TypeFor[scheme]())
	r.RegisterTypeAlias(reflect.TypeFor[api.Patched[api.VerifySettings]](), reflect.TypeFor[nullableVerify]())
	r.RegisterTypeAlias(reflect.TypeFor[api.Patched[api.JSONObject]](), reflect.TypeFor[jsonObject]())
	r.RegisterTypeAlias(reflect.TypeFor[api.Patched[string]](), reflect.TypeFor[nullable[string]]())
	r.RegisterTypeAlias(reflect.TypeFor[api.Patched[time.Time]](), reflect.TypeFor[nullable[time.Time]]())
	r.RegisterTypeAlias(reflect.TypeFor[api.Patched[[]string]](), reflect.TypeFor[nullable[[]string]]())
}

// jsonObject stands for api.JSONObject.
type jsonObject struct{}

// Schema implements huma.SchemaProvider.
func (jsonObject) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true, Nullable: true,
		Examples:    []any{map[string]any{"owner": "billing"}},
		Description: "A JSON object of up to 4096 bytes that Hookgate keeps and does not read.",
	}
}

// nullable stands for a member of a merge patch.
type nullable[T any] struct{}

// Schema implements huma.SchemaProvider.
func (nullable[T]) Schema(r huma.Registry) *huma.Schema {
	schema := *huma.SchemaFromType(r, reflect.TypeFor[T]())
	schema.Nullable = true
	return &schema
}

// scheme stands for api.Scheme.
type scheme struct{}

// Schema implements huma.SchemaProvider.
func (scheme) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeString, Pattern: "^[a-z0-9-]{1,64}$", Description: "The name of a preset, as `hookgate schemes` lists it."},
		{Type: huma.TypeObject, AdditionalProperties: true, Description: "The fields of a scheme, as `hookgate schemes <name> --output json` prints them."},
	}}
}

// nullableVerify stands for a VerifySettings that null takes away.
type nullableVerify struct{}

// Schema implements huma.SchemaProvider.
func (nullableVerify) Schema(r huma.Registry) *huma.Schema {
	schema := *huma.SchemaFromType(r, reflect.TypeFor[api.VerifySettings]())
	schema.Nullable = true
	return &schema
}
