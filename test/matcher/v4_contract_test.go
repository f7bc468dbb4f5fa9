package matcher

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// published is the structure of Matcher's published document.
func published(t *testing.T) any {
	t.Helper()
	text, err := os.ReadFile("../../admin/testdata/matcher-4.1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestV4IsAsPublished: requests and answers of operators have the schemas and statuses of
// the published document, with nothing in them that is not in there.
func TestV4IsAsPublished(t *testing.T) {
	doc := published(t)
	conforms := func(schema string, document []byte) {
		t.Helper()
		c := jsonschema.NewCompiler()
		c.DefaultDraft(jsonschema.Draft2020)
		c.AssertFormat()
		if err := c.AddResource("urn:document", doc); err != nil {
			t.Fatal(err)
		}
		s, err := c.Compile("urn:document#/components/schemas/" + schema)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
		if err != nil {
			t.Fatalf("%v: %s", err, document)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%v: %s", err, document)
		}
	}
	m := &V4{Secret: secret, Aggregators: map[string][]Aggregator{tenant: {{"belvo", "main"}}}}
	mine := bearer(t, jwt.SigningMethodHS256, secret, claims(nil))
	theirs := bearer(t, jwt.SigningMethodHS256, secret, claims(jwt.MapClaims{"tenant_id": DefaultTenant}))
	const credentials, tokens = "/v1/exceptions/callbacks/credentials", "/v1/discovery/webhooks/tokens"
	ask := func(status int, schema, method, path, body, authorization string) map[string]any {
		t.Helper()
		w := do(m, method, path, body, "Authorization", authorization, "Content-Type", "application/json")
		kind := "application/json"
		if schema == "" {
			schema, kind = "Detail", "application/problem+json"
		}
		if w.Code != status {
			t.Fatalf("%s %s %s: %d, want %d: %s", method, path, body, w.Code, status, w.Body)
		}
		if status == 204 {
			if w.Body.Len() > 0 {
				t.Errorf("a 204 with %s", w.Body)
			}
			return nil
		}
		if got := w.Header().Get("Content-Type"); got != kind {
			t.Errorf("%s %s: %s", method, path, got)
		}
		conforms(schema, w.Body.Bytes())
		var answer map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	ask(200, "ListResponse", "GET", credentials, "", mine) // of none
	for body, status := range map[string]int{
		`{}`: 201, `{"externalSystem":"JIRA"}`: 201, `{"externalSystem":null}`: 201, `{"externalSystem":"` + strings.Repeat("é", 128) + `"}`: 201,
		``: 400, `{`: 400, `[]`: 422, `null`: 422, `{"surplus":1}`: 422, `{"externalSystem":1}`: 422, `{"externalSystem":"` + strings.Repeat("x", 129) + `"}`: 422,
	} {
		schema := ""
		if status == 201 {
			schema = "CredentialSecretResponse"
			conforms("MintCredentialRequest", []byte(strings.Replace(body, "null", `""`, 1)))
		}
		ask(status, schema, "POST", credentials, body, mine)
	}
	for body, status := range map[string]int{
		`{"vendor":"belvo","connection_config_name":"main"}`: 201, `{"vendor":"pluggy","connection_config_name":"main"}`: 404,
		`{"vendor":"acme","connection_config_name":"main"}`: 422, `{"vendor":"belvo"}`: 422, `{"vendor":"belvo","connection_config_name":""}`: 422,
		`{"vendor":"belvo","connection_config_name":"main","surplus":1}`: 422, `{"connectionConfigName":"main","vendor":"belvo"}`: 422,
	} {
		schema := ""
		if status == 201 {
			schema = "MintResponse"
			conforms("MintRequest", []byte(body))
		}
		ask(status, schema, "POST", tokens, body, mine)
	}

	made := ask(201, "CredentialSecretResponse", "POST", credentials, `{"externalSystem":"JIRA"}`, mine)
	one := credentials + "/" + made["credentialId"].(string)
	ask(404, "", "POST", one+"/rotate", "", theirs)
	ask(404, "", "DELETE", one, "", theirs)
	fresh := ask(201, "CredentialSecretResponse", "POST", one+"/rotate", "", mine)
	if fresh["credentialId"] == made["credentialId"] || fresh["token"] == made["token"] || fresh["externalSystem"] != "JIRA" {
		t.Errorf("rotated to %v", fresh)
	}
	ask(409, "", "POST", one+"/rotate", "", mine)
	ask(204, "", "DELETE", one, "", mine)
	ask(204, "", "DELETE", credentials+"/"+fresh["credentialId"].(string), "", mine)
	ask(404, "", "DELETE", credentials+"/"+uuid.NewString(), "", mine)
	ask(422, "", "DELETE", credentials+"/x", "", mine)
	for _, authorization := range []string{"", "Bearer x"} {
		ask(401, "", "POST", credentials, `{}`, authorization)
		ask(401, "", "GET", credentials, "", authorization)
		ask(401, "", "POST", tokens, `{}`, authorization)
		ask(401, "", "DELETE", one, "", authorization)
	}
	list := ask(200, "ListResponse", "GET", credentials, "", mine)["credentials"].([]any)
	first, second := list[0].(map[string]any), list[1].(map[string]any)
	if first["id"] != fresh["credentialId"] || first["rotatedAt"] == nil || first["revokedAt"] == nil || second["id"] != made["credentialId"] || second["revokedAt"] == nil || second["rotatedAt"] != nil {
		t.Errorf("newest first: %v, %v", first, second)
	}
	if of := ask(200, "ListResponse", "GET", credentials, "", theirs); of["credentials"] != nil {
		t.Errorf("another tenant sees %v", of)
	}
}
