package admin

import (
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/problem"
)

// documentRPC adds the functions to the OpenAPI document; huma does not serve them.
func (a *admin) documentRPC(functions []*rpcFunction) {
	document := a.huma.OpenAPI()
	schemaOf := func(t reflect.Type) *huma.Schema { return document.Components.Schemas.Schema(t, true, "") }
	ok := &huma.Schema{
		Type: huma.TypeObject, Required: []string{"ok"}, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{"ok": {Type: huma.TypeBoolean, Enum: []any{true}}},
	}
	for _, f := range functions {
		responses := a.rpcResponses(schemaOf(reflect.TypeFor[rpcError]()), f)
		responses["200"] = &huma.Response{Description: "Done", Content: map[string]*huma.MediaType{"application/json": {Schema: ok}}}
		document.AddOperation(&huma.Operation{
			OperationID: f.operation, Method: http.MethodPost, Path: rpcPrefixes[0] + f.name,
			Tags: []string{"MintID"}, Summary: f.summary,
			Description: f.description + " In PostgREST's calling convention, and in its form of errors; also at " + rpcPrefixes[1] + f.name + ".",
			Security:    []map[string][]string{{bearerAuth: {}}},
			RequestBody: &huma.RequestBody{
				Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf(f.arguments)}},
			},
			Responses: responses,
		})
	}
}

// rpcResponses documents an error as register does: by status, an example for every code.
func (a *admin) rpcResponses(schema *huma.Schema, f *rpcFunction) map[string]*huma.Response {
	responses := map[string]*huma.Response{
		"default": {Description: "Any other error", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}},
	}
	errors := []*rpcError{
		refuseBearerRPC(&bearer.Refusal{Reason: bearer.NoToken}), refuseBearerRPC(&bearer.Refusal{Reason: bearer.Invalid}),
		refuseBearerRPC(&bearer.Refusal{Reason: bearer.Expired}), asRPC(refuse(problem.Role)), errOtherBrand,
		refuseRPC(http.StatusBadRequest, rpcBody, "Empty or invalid json"), errNoRecord,
		noFunction(f.name, []string{"_name"}, f),
		refuseRPC(http.StatusUnsupportedMediaType, rpcMediaType, "Content-Type not acceptable: only application/json is"),
	}
	for _, p := range []problem.Problem{
		problem.SlowBody, problem.RequestTooLarge, problem.TooMany, problem.OperationFailed, problem.NoKeys, problem.NotReplicated, problem.StoreUnavailable,
	} {
		errors = append(errors, asRPC(refuse(p)))
	}
	for _, e := range append(errors, f.refusals...) {
		status := strconv.Itoa(e.status)
		if responses[status] == nil {
			responses[status] = &huma.Response{Content: map[string]*huma.MediaType{
				"application/json": {Schema: schema, Examples: map[string]*huma.Example{}},
			}}
			document(responses[status], e.status)
		}
		response := responses[status]
		if response.Description != "" {
			response.Description += "\n"
		}
		response.Description += e.Code + ": " + e.Message
		response.Content["application/json"].Examples[e.Code] = &huma.Example{Value: e}
	}
	return responses
}
