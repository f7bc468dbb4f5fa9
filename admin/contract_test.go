package admin_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// contract is the structure of Matcher's published document.
var contract = sync.OnceValue(func() map[string]any {
	text, err := os.ReadFile("testdata/matcher-4.1.yaml")
	if err != nil {
		panic(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		panic(err)
	}
	return doc
})

var (
	schemasMu sync.Mutex
	schemas   = map[string]*jsonschema.Schema{}
)

// contractSchema compiles a named schema of the contract, formats asserted.
func contractSchema(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	schemasMu.Lock()
	defer schemasMu.Unlock()
	if s := schemas[name]; s != nil {
		return s
	}
	s := compileSchema(t, contract(), "#/components/schemas/"+name)
	schemas[name] = s
	return s
}

func compileSchema(t testing.TB, doc any, pointer string) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	resource, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("urn:document", resource); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("urn:document" + pointer)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// conforms expects a JSON document to match a schema of the contract.
func conforms(t testing.TB, schema string, document []byte) {
	t.Helper()
	matches(t, contractSchema(t, schema), document)
}

func matches(t testing.TB, schema *jsonschema.Schema, document []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatalf("not JSON: %v\n%s", err, document)
	}
	if err := schema.Validate(v); err != nil {
		t.Errorf("%v\n%s", err, document)
	}
}

func openAPI(t *testing.T, s *server) map[string]any {
	t.Helper()
	return s.must(200, "", "GET", "/openapi.json", "").decode(t)
}

// at walks down a decoded document.
func at(t testing.TB, doc any, path ...string) any {
	t.Helper()
	for i, name := range path {
		object, ok := doc.(map[string]any)
		if !ok || object[name] == nil {
			t.Fatalf("the document has no %s", strings.Join(path[:i+1], " > "))
		}
		doc = object[name]
	}
	return doc
}

var ownOperations = map[string]string{
	"listAggregatorWebhookTokens":  "GET /v1/discovery/webhooks/tokens",
	"rotateAggregatorWebhookToken": "POST /v1/discovery/webhooks/tokens/{id}/rotate",
	"revokeAggregatorWebhookToken": "DELETE /v1/discovery/webhooks/tokens/{id}",

	"createCredential":  "POST /v1/credentials",
	"listCredentials":   "GET /v1/credentials",
	"getCredential":     "GET /v1/credentials/{id}",
	"updateCredential":  "PATCH /v1/credentials/{id}",
	"deleteCredential":  "DELETE /v1/credentials/{id}",
	"rotateCredential":  "POST /v1/credentials/{id}/rotate",
	"finishRotation":    "POST /v1/credentials/{id}/finish",
	"disableCredential": "POST /v1/credentials/{id}/disable",
	"enableCredential":  "POST /v1/credentials/{id}/enable",

	"replaceSigningSecret": "POST /v1/credentials/{id}/signing-secret",
	"revokeCredential":     "POST /v1/credentials/{id}/revoke",
	"importCredentials":    "POST /v1/credentials/import",
	"verifyToken":          "POST /v1/credentials/verify",
	"listAuditEntries":     "GET /v1/audit",
	"listSchemes":          "GET /v1/schemes",
	"exportAuditEntries":   "GET /v1/audit/export",
	"whoAmI":               "GET /v1/me",

	"createApiCredentialRecord":       "POST /rest/v1/rpc/create_api_credential_record",
	"revokeApiCredentialRecord":       "POST /rest/v1/rpc/revoke_api_credential_record",
	"rotateApiCredentialSecretRecord": "POST /rest/v1/rpc/rotate_api_credential_secret_record",
}

func operationsOf(t *testing.T, doc map[string]any) map[string]string {
	t.Helper()
	found := map[string]string{}
	for path, item := range at(t, doc, "paths").(map[string]any) {
		for method, op := range item.(map[string]any) {
			found[at(t, op, "operationId").(string)] = strings.ToUpper(method) + " " + path
		}
	}
	return found
}

func TestDocumentHasTheOperationsOfTheContract(t *testing.T) {
	doc := openAPI(t, newServer(t))
	if version := at(t, doc, "openapi"); version != "3.1.0" {
		t.Errorf("OpenAPI %v", version)
	}
	want := operationsOf(t, contract())
	for id, where := range ownOperations {
		want[id] = where
	}
	if got := operationsOf(t, doc); !reflect.DeepEqual(got, want) {
		t.Errorf("got operations %v\nwant %v", got, want)
	}
}

func TestDocumentHasTheSchemasOfTheContract(t *testing.T) {
	doc := openAPI(t, newServer(t))
	for name, schema := range at(t, contract(), "components", "schemas").(map[string]any) {
		ours := at(t, doc, "components", "schemas", name)
		theirs := schema.(map[string]any)
		if extra := at(t, ours, "additionalProperties"); extra != false {
			t.Errorf("%s: additionalProperties %v", name, extra)
		}
		if got, want := names(at(t, ours, "properties")), names(theirs["properties"]); !slices.Equal(got, want) {
			t.Errorf("%s: properties %v, want %v", name, got, want)
		}
		if got, want := sortedStrings(ours.(map[string]any)["required"]), sortedStrings(theirs["required"]); !slices.Equal(got, want) {
			t.Errorf("%s: required %v, want %v", name, got, want)
		}
	}
}

func names(object any) []string {
	var list []string
	for name := range object.(map[string]any) {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func sortedStrings(v any) []string {
	list, _ := v.([]any)
	texts := make([]string, len(list))
	for i, item := range list {
		texts[i] = item.(string)
	}
	slices.Sort(texts)
	return texts
}

func TestEveryOperationIsDocumented(t *testing.T) {
	s := newServer(t)
	doc := openAPI(t, s)
	at(t, doc, "components", "securitySchemes", "BearerAuth")
	detail := compileSchema(t, doc, "#/components/schemas/Detail")
	rpcError := compileSchema(t, doc, "#/components/schemas/RpcError")
	for path, item := range at(t, doc, "paths").(map[string]any) {
		for method, op := range item.(map[string]any) {
			if security := at(t, op, "security").([]any); len(security) != 1 || security[0].(map[string]any)["BearerAuth"] == nil {
				t.Errorf("%s %s: security %v", method, path, security)
			}
			for status, response := range at(t, op, "responses").(map[string]any) {
				if status[0] == '2' {
					continue
				}
				mediaType, schema := "application/problem+json", detail
				if strings.HasPrefix(path, "/rest/v1/rpc/") {
					mediaType, schema = "application/json", rpcError
				}
				content := at(t, response, "content").(map[string]any)
				if len(content) != 1 || content[mediaType] == nil {
					t.Errorf("%s %s: a %s is documented as %v", method, path, status, names(content))
				}
				examples, _ := content[mediaType].(map[string]any)["examples"].(map[string]any)
				for _, example := range examples {
					text, _ := json.Marshal(at(t, example, "value"))
					matches(t, schema, text)
				}
			}
		}
	}
}

func TestDocumentedExamplesMatchTheirSchemas(t *testing.T) {
	doc := openAPI(t, newServer(t))
	for name, schema := range at(t, doc, "components", "schemas").(map[string]any) {
		example := map[string]any{}
		for property, p := range at(t, schema, "properties").(map[string]any) {
			if examples, ok := p.(map[string]any)["examples"].([]any); ok {
				example[property] = examples[0]
			}
		}
		required := sortedStrings(schema.(map[string]any)["required"])
		listOfOthers := slices.ContainsFunc(required, func(property string) bool { return example[property] == nil })
		if len(example) == 0 || name == "ErrorDetail" || listOfOthers {
			continue
		}
		text, _ := json.Marshal(example)
		matches(t, compileSchema(t, doc, "#/components/schemas/"+name), text)
	}
}

func TestDocumentAsYAMLSaysTheSame(t *testing.T) {
	s := newServer(t)
	var fromYAML any
	if err := yaml.Unmarshal(s.must(200, "", "GET", "/openapi.yaml", "").body, &fromYAML); err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(fromYAML)
	want, _ := json.Marshal(openAPI(t, s))
	if !bytes.Equal(got, want) {
		t.Error("the YAML and JSON documents differ")
	}
}

func TestNothingElseIsServed(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{"/docs/", "/schemas/Detail.json", "/openapi-3.0.json", "/healthz", "/metrics"} {
		checkProblem(t, s.as("", "GET", path, ""), 404, "HKG-2404")
	}
}
